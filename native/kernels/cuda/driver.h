// Which driver there is, as the system tells it.
#pragma once
#include <stdio.h>
#include <string.h>

namespace gradus::cuda {

// Of a line as "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 …" the first word of digits and
// points; where there is none `release` stays as it is.
template <size_t size>
void find_release(const char* line, char (&release)[size]) {
  while (*line) {
    line += strspn(line, " \t\n");
    const size_t length = strcspn(line, " \t\n");
    if (length > 0 && length < size && strspn(line, "0123456789.") == length) {
      memcpy(release, line, length);
      release[length] = 0;
      return;
    }
    line += length;
  }
}

// From the first line of this file, if it is there.
template <size_t size>
void read_driver_release(const char* path, char (&release)[size]) {
  FILE* const file = fopen(path, "r");
  if (!file) return;
  char line[256];
  if (fgets(line, sizeof line, file)) find_release(line, release);
  fclose(file);
}

}  // namespace gradus::cuda
