/* The program of the hello-world image: two system calls, no library, some kilobytes. x86_64 and aarch64. */

static const char text[] =
    "\n"
    "Hello from dockerd-ts!\n"
    "You are reading the output of a container: your installation works.\n"
    "\n"
    "What happened until you saw this:\n"
    " 1. The client asked the daemon, through its socket, for a container of the image hello-world.\n"
    " 2. The daemon looked the image up; one that is not there is pulled or loaded first.\n"
    " 3. It put the image's layers together as a root filesystem, made namespaces, a control group and a\n"
    "    network address for the container, and let the OCI runtime start this program in them.\n"
    " 4. The container's monitor took this text from the program, wrote it to the log and passed it on to\n"
    "    the client, which printed it for you.\n"
    "\n"
    "Something with more to do:\n"
    "  docker-ts run -it --rm debian bash\n"
    "\n";

static long call(long number, long a, long b, long c) {
#if defined(__x86_64__)
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
#else
#error "no system calls known for this architecture"
#endif
}

#if defined(__x86_64__)
enum { WRITE = 1, EXIT = 60 };
#else
enum { WRITE = 64, EXIT = 93 };
#endif

void _start(void) {
  const char *at = text;
  long left = sizeof text - 1;
  while (left > 0) {
    long written = call(WRITE, 1, (long)at, left);
    if (written == -4) continue; /* EINTR */
    if (written <= 0) call(EXIT, 1, 0, 0);
    at += written;
    left -= written;
  }
  call(EXIT, 0, 0, 0);
}
