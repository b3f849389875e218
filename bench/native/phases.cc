// Where the time of a training step goes. Arguments: widths (784,256,10) or layers (see layers.h), batch, optimizer,
// threads, milliseconds; and `augmented`, where images are to be bytes that are moved by up to 4 pixels and mirrored.
// Prints one line of JSON: microseconds a step, as it is and with the clocks in it; of each kind of device call how
// often, how long the kernels took on the calling thread and how long that thread waited (or cut the work, or woke the
// other); what was outside of device calls; and what the statistics of the tensors cost there.
//
// Clocks stand around each device call and around each kernel. What a pair of them costs is measured where they stand,
// on a net so small that they are most of its step: in a loop of nothing else they take more than twice as long. Half
// of it falls between the two readings and is taken off the call, half falls around them and is taken off what is
// there.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "layers.h"
#include "timed_device.h"

namespace {
using namespace bench;
using Clock = std::chrono::steady_clock;

double microseconds(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// A step in microseconds; of those without clocks nothing else is known.
struct Turn {
  double step = 0, engine = 0, pairs = 0;  // of clocks
  std::array<double, kinds> kernels{}, waiting{};
};

// Of layers, or widths of dense ones.
struct Subject {
  std::shared_ptr<const Plan> plan;
  std::vector<size_t> input;
  size_t classes = 0;
};
Subject subject_of(const std::string& net, const std::string& optimizer) {
  if (net.find(':') == std::string::npos) {
    const Widths widths = widths_of(net.c_str());
    return {plan_of(widths, optimizer), {widths[0]}, widths.back()};
  }
  const LayersReader reader(net, optimizer);
  return {reader.plan(), reader.input, reader.classes()};
}

// [randomCrop({ padding: 4 }), alternatingFlip()]
std::shared_ptr<const Augmentation> crop_and_flip() {
  const Value crop = test::object({{"kind", test::text("randomCrop")}, {"padding", test::number(4)}});
  const Value flip = test::object(test::kind("alternatingFlip"));
  const Value list{Value::Array{crop, flip}};
  return std::make_shared<const Augmentation>(test::object({{"fill", test::text("zero")}, {"transforms", list}}));
}

class Bench {
 public:
  Bench(const Subject& of, size_t batch, size_t threads, bool augmented = false)
      : original_(*chosen_isa()),
        isa_(timed(original_)),
        net_(of.plan, original_, threads),
        cpu_(isa_, net_.share),
        device_(cpu_, book_),
        call_(call_for(of.input, of.classes, batch, batches_for(of.input, batch))) {
    if (!augmented) return;
    call_.data = image_bytes_for(of.input, of.classes, call_.batch_size * call_.batches);
    call_.augmentation = crop_and_flip();
  }

  double plain() {
    call_.tensor_statistics = true;
    const auto start = Clock::now();
    net_.train(call_, net_.device);
    return microseconds(start) / double(call_.batches);
  }

  // What a pair of clocks costs is in microseconds.
  Turn timed_turn(bool statistics, double pair) {
    call_.tensor_statistics = statistics;
    book_ = Book();
    const auto start = Clock::now();
    const uint64_t start_ticks = ticks();
    net_.train(call_, device_);
    const double all_ticks = double(ticks() - start_ticks), all = microseconds(start), batches = double(call_.batches);
    Turn turn;
    turn.step = turn.engine = all / batches;
    for (size_t kind = 0; kind < kinds; ++kind) {
      const Entry& entry = book_.of(Kind(kind));
      const double wall = double(entry.ticks) * all / all_ticks / batches, calls = double(entry.calls) / batches;
      const double inside = double(entry.inside.ticks) * all / all_ticks / batches;
      const double inside_calls = double(entry.inside.calls) / batches;
      turn.kernels[kind] = inside - inside_calls * pair / 2;
      turn.waiting[kind] = wall - inside - (calls + inside_calls) * pair / 2;
      turn.engine -= wall + calls * pair / 2;
      turn.pairs += calls + inside_calls;
    }
    return turn;
  }

  double calls(size_t kind) const { return double(book_.of(Kind(kind)).calls) / double(call_.batches); }

 private:
  const Isa& original_;
  const Isa isa_;
  Net net_;
  const CpuDevice<float> cpu_;
  mutable Book book_;
  const TimedDevice<float> device_;
  TrainCall call_;
};

// Of the turns without the quarter of the quickest and that of the slowest: unlike medians, means of parts add up.
Turn middle_half(std::vector<Turn> turns) {
  std::sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) { return a.step < b.step; });
  const size_t first = turns.size() / 4, end = turns.size() - first;
  Turn mean;
  for (size_t i = first; i < end; ++i) {
    const double share = 1 / double(end - first);
    mean.step += turns[i].step * share, mean.engine += turns[i].engine * share;
    for (size_t kind = 0; kind < kinds; ++kind) {
      mean.kernels[kind] += turns[i].kernels[kind] * share;
      mean.waiting[kind] += turns[i].waiting[kind] * share;
    }
  }
  return mean;
}

double cost_of_a_pair() {
  Bench tiny(subject_of("16,16,16,4", "adam"), 4, 1);
  std::vector<double> costs;
  for (int turn = 0; turn < 101; ++turn) {
    const double plain = tiny.plain();
    const Turn timed = tiny.timed_turn(true, 0);
    costs.push_back((timed.step - plain) / timed.pairs);
  }
  std::sort(costs.begin(), costs.end());
  return costs[costs.size() / 2];
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 6 || count > 7 || !chosen_isa()) {
    std::fprintf(stderr, "usage: phases NET BATCH adam|nesterov THREADS MILLISECONDS [augmented]\n");
    return 2;
  }
  const size_t batch = size_t(std::atoi(arguments[2])), threads = size_t(std::atoi(arguments[4]));
  Bench bench(subject_of(arguments[1], arguments[3]), batch, threads, count == 7);
  const double pair = cost_of_a_pair();
  std::vector<Turn> plain_turns, with_turns, without_turns;
  bench.plain(), bench.timed_turn(true, pair);
  for (const auto start = Clock::now();
       microseconds(start) < 1000 * std::atof(arguments[5]) || with_turns.size() < 4;) {
    plain_turns.push_back({bench.plain()});
    with_turns.push_back(bench.timed_turn(true, pair));
    without_turns.push_back(bench.timed_turn(false, pair));
  }
  const Turn with = middle_half(with_turns), without = middle_half(without_turns);
  std::printf("{\"pair\":%.4f,\"step\":%.4f,\"timed\":%.4f,\"engine\":%.4f,\"statistics\":%.4f,\"kinds\":[", pair,
              middle_half(plain_turns).step, with.step, without.engine, with.engine - without.engine);
  const char* separator = "";
  for (size_t kind = 0; kind < kinds; ++kind) {
    if (bench.calls(kind) == 0) continue;
    std::printf("%s{\"name\":\"%s\",\"calls\":%.4g,\"kernels\":%.4f,\"waiting\":%.4f}", separator, kind_names[kind],
                bench.calls(kind), with.kernels[kind], with.waiting[kind]);
    separator = ",";
  }
  std::printf("]}\n");
}
