// Runs every registered test, or those whose sentence or file contains one of the arguments. Last line: N passed, N
// failed.
#include <cstdio>
#include <cstring>
#include <exception>
#include <vector>

#include "test.h"

namespace gradus::test {
namespace {
struct Test {
  const char* file;
  const char* sentence;
  void (*run)();
};
std::vector<Test>& tests() {
  static std::vector<Test> list;
  return list;
}
std::vector<std::string> scopes;
long checks = 0, failures = 0;
constexpr long shown_failures = 10;  // of one test; the rest are only counted
}  // namespace

Registration::Registration(const char* file, const char* sentence, void (*run)()) {
  tests().push_back({file, sentence, run});
}
void passed_check() { ++checks; }
void fail(const char* file, int line, const std::string& what) {
  ++checks;
  if (++failures > shown_failures) return;
  std::string where;
  for (const std::string& scope : scopes) where += scope + ": ";
  std::printf("    %s:%d: %s%s\n", file, line, where.c_str(), what.c_str());
}
Scope::Scope(const std::string& text) { scopes.push_back(text); }
Scope::~Scope() { scopes.pop_back(); }
}  // namespace gradus::test

int main(int count, char** arguments) {
  using namespace gradus::test;
  const auto is_picked = [&](const Test& test) {
    for (int i = 1; i < count; ++i)
      if (std::strstr(test.sentence, arguments[i]) || std::strstr(test.file, arguments[i])) return true;
    return count == 1;
  };
  int passed = 0, failed = 0;
  for (const Test& test : tests()) {
    if (!is_picked(test)) continue;
    checks = failures = 0;
    try {
      test.run();
    } catch (const std::exception& error) {
      fail(test.file, 0, std::string("threw ") + error.what());
    }
    if (checks == 0) fail(test.file, 0, "checked nothing");
    std::printf("%s %s (%ld checks%s)\n", failures ? "FAILED" : "ok    ", test.sentence, checks,
                failures ? (", " + std::to_string(failures) + " failed").c_str() : "");
    std::fflush(stdout);
    ++(failures ? failed : passed);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed || passed == 0 ? 1 : 0;
}
