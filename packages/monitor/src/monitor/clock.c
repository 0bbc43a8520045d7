/* Times: nanoseconds since 1970 for records, monotonic deadlines for waiting. */
#include "state.h"

uint64_t nanoseconds(const struct timespec *time) { return (uint64_t)time->tv_sec * 1000000000U + (uint64_t)time->tv_nsec; }

struct timespec monotonic_in(int milliseconds) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  time.tv_sec += milliseconds / 1000;
  time.tv_nsec += milliseconds % 1000 * 1000000L;
  if (time.tv_nsec >= 1000000000L) {
    time.tv_sec++;
    time.tv_nsec -= 1000000000L;
  }
  return time;
}

int milliseconds_until(const struct timespec *time) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t left = ((int64_t)time->tv_sec - now.tv_sec) * 1000 + (time->tv_nsec - now.tv_nsec) / 1000000;
  return left <= 0 ? 0 : left > 3600000 ? 3600000 : (int)left + 1;
}
