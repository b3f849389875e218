// Rates of matrix products, ours and those of rivals that are loaded into this process, taking turns; and in the same
// moments the peak of multiply-adds, and the register tile alone on operands that stay in the caches. JSON lines.
// Arguments: threads; text that the rows have which are measured, or none; then who takes part: gradus, peak, tile, or
// a rival as name=library.
#include <dlfcn.h>
#include <sched.h>

#include <cstdlib>
#include <cstring>

#include "../matmul/measure.h"
#include "engine/partition.h"
#include "kernels/kernels.h"
#include "peak.h"
#include "team.h"

namespace {

using bench::Competitor, bench::Product;

gradus::Matmul<float> task_of(const Product& product) {
  gradus::Matmul<float> task;
  task.m = product.m, task.n = product.n, task.k = product.k;
  task.a = product.a, task.b = product.b, task.c = product.c;
  task.a_row = product.a_transposed ? 1 : product.k, task.a_column = product.a_transposed ? product.m : 1;
  task.b_row = product.b_transposed ? 1 : product.n, task.b_column = product.b_transposed ? product.k : 1;
  task.c_row = product.n;
  return task;
}

// What all competitors of ours work with.
struct Ours {
  const gradus::Isa& isa;
  bench::Team team;
  std::vector<bench::Buffer> workspaces;

  Ours(const gradus::Isa& isa, size_t threads) : isa(isa), team(threads) {
    for (size_t i = 0; i < threads; ++i) workspaces.emplace_back(gradus::matmul_workspace);
  }

  bool multiply(const Product& product) {
    const gradus::Matmul<float> task = task_of(product);
    const size_t threads = workspaces.size();
    team.run([&](size_t i) { isa.float32.matmul(gradus::piece_of(task, threads, i), workspaces[i].data); });
    return true;
  }

  double peak() {
    std::vector<double> done(workspaces.size());
    team.run([&](size_t i) { done[i] = bench::multiply_add(20000); });
    double sum = 0;
    for (double of_one : done) sum += of_one;
    return sum;
  }

  // Whole tiles of each instruction set, few enough that nothing is copied.
  double tile() {
    static const bench::Product product{42, 32, 256, false, false, nullptr, nullptr, nullptr};
    static const bench::Operands operands(product);
    constexpr int calls = 20;
    Product here = product;
    here.a = operands.a.data, here.b = operands.b.data, here.c = operands.c.data;
    for (int i = 0; i < calls; ++i) isa.float32.matmul(task_of(here), workspaces[0].data);
    return calls * 2.0 * double(here.m * here.n * here.k);
  }
};

Competitor rival_of(const std::string& name, const char* library, size_t threads) {
  void* const handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) std::fprintf(stderr, "%s\n", dlerror()), std::exit(1);
  const auto use_threads = reinterpret_cast<decltype(&rival_use_threads)>(dlsym(handle, "rival_use_threads"));
  const auto multiply = reinterpret_cast<decltype(&rival_multiply)>(dlsym(handle, "rival_multiply"));
  const auto version = reinterpret_cast<decltype(&rival_version)>(dlsym(handle, "rival_version"));
  use_threads(threads);
  std::printf("{\"rival\":\"%s\",\"version\":\"%s\"}\n", name.c_str(), version());
  return {name, multiply, {}};
}

// The libraries make as many threads as there are processors to run on.
void stay_on(size_t threads) {
  cpu_set_t all, some;
  CPU_ZERO(&some);
  sched_getaffinity(0, sizeof all, &all);
  for (int cpu = 0; cpu < CPU_SETSIZE && size_t(CPU_COUNT(&some)) < threads; ++cpu)
    if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &some);
  sched_setaffinity(0, sizeof some, &some);
}

}  // namespace

int main(int count, char** arguments) {
  const size_t threads = count > 1 ? std::max(1ul, std::strtoul(arguments[1], nullptr, 10)) : 1;
  const gradus::Isa* isa = gradus::chosen_isa();
  if (!isa) return std::fprintf(stderr, "GRADUS_ISA names no instruction set of this machine\n"), 1;
  stay_on(threads);
  std::printf("{\"isa\":\"%s\"}\n", isa->name);
  Ours ours(*isa, threads);
  std::vector<Competitor> competitors;
  for (int i = 3; i < count; ++i) {
    const std::string name = arguments[i];
    const size_t equals = name.find('=');
    if (equals != std::string::npos)
      competitors.push_back(rival_of(name.substr(0, equals), arguments[i] + equals + 1, threads));
    else if (name == "gradus")
      competitors.push_back({name, [&](const Product& product) { return ours.multiply(product); }, {}});
    else
      competitors.push_back({name, {}, [&, name] { return name == "peak" ? ours.peak() : ours.tile(); }});
  }
  const std::string only = count > 2 ? arguments[2] : "";
  for (const bench::Layer& layer : bench::layers)
    for (const bench::Form& form : bench::forms_of(layer))
      if (bench::name_of(layer, form).find(only) != std::string::npos)
        bench::measure(layer, form, threads, competitors);
}
