// matmul's rate a shape, and the multiply-add rate that one core of this machine can reach at most. JSON lines.
// Argument: threads (1).
#include <atomic>
#include <cstdlib>
#include <functional>
#include <thread>

#include "../matmul/measure.h"
#include "engine/partition.h"
#include "kernels/kernels.h"
#include "peak.h"

namespace {

// The calling thread is the first; the others spin for the next call, as the engine's pool does while it is hot.
class Team {
 public:
  explicit Team(size_t threads) : waiting(threads - 1) {
    for (size_t index = 1; index < threads; ++index)
      members.emplace_back([this, index] {
        for (size_t seen = 0; !stop;) {
          if (call.load(std::memory_order_acquire) == seen) continue;
          ++seen;
          if (!stop) work(index);
          done.fetch_add(1, std::memory_order_release);
        }
      });
  }
  ~Team() {
    stop = true;
    call.fetch_add(1);
    for (std::thread& member : members) member.join();
  }
  void run(const std::function<void(size_t)>& body) {
    work = body;
    done.store(0);
    call.fetch_add(1, std::memory_order_release);
    work(0);
    while (done.load(std::memory_order_acquire) != waiting) continue;
  }

 private:
  const size_t waiting;
  std::atomic<bool> stop{false};
  std::atomic<size_t> call{0}, done{0};
  std::function<void(size_t)> work;
  std::vector<std::thread> members;
};

gradus::Matmul<float> task_of(const bench::Shape& shape, const float* a, const float* b, float* c) {
  gradus::Matmul<float> task;
  task.m = shape.m, task.n = shape.n, task.k = shape.k;
  task.a = a, task.a_row = shape.a_transposed ? 1 : shape.k, task.a_column = shape.a_transposed ? shape.m : 1;
  task.b = b, task.b_row = shape.b_transposed ? 1 : shape.n, task.b_column = shape.b_transposed ? shape.k : 1;
  task.c = c, task.c_row = shape.n;
  return task;
}

}  // namespace

int main(int count, char** arguments) {
  const size_t threads = count > 1 ? std::max(1ul, std::strtoul(arguments[1], nullptr, 10)) : 1;
  const gradus::Isa* isa = gradus::chosen_isa();
  if (!isa) return std::fprintf(stderr, "GRADUS_ISA names no instruction set of this machine\n"), 1;
  std::printf("{\"isa\":\"%s\",\"peak\":%.2f}\n", isa->name, bench::peak(1));
  std::vector<bench::Buffer> workspaces;
  for (size_t i = 0; i < threads; ++i) workspaces.emplace_back(gradus::matmul_workspace);
  Team team(threads);
  for (const bench::Layer& layer : bench::layers)
    for (const bench::Shape& shape : bench::shapes_of(layer))
      bench::measure(layer, shape, threads, [&](const bench::Shape& s, const float* a, const float* b, float* c) {
        const gradus::Matmul<float> task = task_of(s, a, b, c);
        if (threads == 1) return isa->float32.matmul(task, workspaces[0].data);
        team.run(
            [&](size_t index) { isa->float32.matmul(gradus::piece_of(task, threads, index), workspaces[index].data); });
      });
}
