// SPDX-License-Identifier: Apache-2.0
//
// Runs a command by a wall clock that is moved from outside, in whatever language it is written:
//
//   moved_clock OFFSET COMMAND [ARGUMENT]…
//
// OFFSET is a file of eight bytes: the seconds that the clock is ahead, an int64_t that is read
// whenever the command asks for the time. Commands that share it see a jump at the same moment. The
// command's vDSO is hidden, so that it has to ask the kernel; seccomp stops it when it does, and
// the answer is written in the kernel's place. The monotonic clock goes on, as it does in a real
// jump; but what waits in the kernel until a time of day, and the times of files, are not moved.
//
// SIGTERM and SIGINT go to the command, whose status is this program's; 77, which CTest takes for
// "skipped", if the clock cannot be moved here. What outlives the command is killed.
#include <cstdio>

constexpr int kCannot = 77;

#if !defined(__x86_64__)
int main() {
  std::puts("skipped: the clock cannot move: this is no x86_64");
  return kCannot;
}
#else
#include <elf.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>

namespace {

constexpr std::uint16_t kLoad = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t kIfEqual = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t kReturn = BPF_RET | BPF_K;
constexpr long kOptions = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                          PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;

const volatile std::int64_t* offset_seconds = nullptr;
volatile pid_t command = 0;

[[noreturn]] void give_up(const char* what) {
  dprintf(STDOUT_FILENO, "skipped: the clock cannot move: %s: %s\n", what, std::strerror(errno));
  _exit(kCannot);
}

void map_offset(const char* path) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  void* const bytes = mmap(nullptr, sizeof *offset_seconds, PROT_READ, MAP_SHARED, file, 0);
  if (bytes == MAP_FAILED) give_up(path);
  offset_seconds = static_cast<const std::int64_t*>(bytes);
}

// In the child: the tracer is asked for the wall clock from now on; all other calls pass.
void stop_at_the_time() {
  sock_filter filter[] = {
      {kLoad, 0, 0, offsetof(seccomp_data, arch)},
      {kIfEqual, 0, 7, AUDIT_ARCH_X86_64},
      {kLoad, 0, 0, offsetof(seccomp_data, nr)},
      {kIfEqual, 6, 0, SYS_gettimeofday},
      {kIfEqual, 5, 0, SYS_time},
      {kIfEqual, 0, 3, SYS_clock_gettime},
      {kLoad, 0, 0, offsetof(seccomp_data, args)},
      {kIfEqual, 2, 0, CLOCK_REALTIME},
      {kIfEqual, 1, 0, CLOCK_REALTIME_COARSE},
      {kReturn, 0, 0, SECCOMP_RET_ALLOW},
      {kReturn, 0, 0, SECCOMP_RET_TRACE},
  };
  const sock_fprog program{sizeof filter / sizeof *filter, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up("no new privileges");
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) give_up("seccomp");
}

[[noreturn]] void become(char** arguments, int tracer) {
  char is_traced = 0;
  if (read(tracer, &is_traced, 1) != 1) _exit(kCannot);
  stop_at_the_time();
  execvp(*arguments, arguments);
  std::perror(*arguments);
  _exit(127);
}

// Reading and writing fail when the command is killed meanwhile, which the next wait says.
std::uint64_t peek(pid_t pid, std::uint64_t at) {
  std::uint64_t value = 0;
  const iovec here{&value, sizeof value};
  const iovec there{reinterpret_cast<void*>(at), sizeof value};
  process_vm_readv(pid, &here, 1, &there, 1, 0);
  return value;
}

template <class T>
bool poke(pid_t pid, std::uint64_t at, T value) {
  const iovec here{&value, sizeof value};
  const iovec there{reinterpret_cast<void*>(at), sizeof value};
  return process_vm_writev(pid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(sizeof value);
}

// The stack of a new program: the number of arguments, those, null, the environment, null, and
// pairs of words, the auxiliary vector.
void hide_vdso(pid_t pid) {
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, pid, nullptr, &registers) != 0) return;
  std::uint64_t at = registers.rsp + 8 * (peek(pid, registers.rsp) + 2);
  while (peek(pid, at) != 0) at += 8;
  for (at += 8; peek(pid, at) != AT_NULL; at += 16) {
    if (peek(pid, at) == AT_SYSINFO_EHDR) poke<std::uint64_t>(pid, at, AT_IGNORE);
  }
}

// What the call that the registers are of returns.
std::int64_t tell(pid_t pid, const user_regs_struct& registers) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  now.tv_sec += *offset_seconds;
  if (registers.orig_rax == SYS_clock_gettime) return poke(pid, registers.rsi, now) ? 0 : -EFAULT;
  const std::uint64_t place = registers.rdi;
  if (registers.orig_rax == SYS_time) {
    return place == 0 || poke(pid, place, now.tv_sec) ? now.tv_sec : -EFAULT;
  }
  return poke(pid, place, timeval{now.tv_sec, now.tv_nsec / 1000}) ? 0 : -EFAULT;
}

void answer(pid_t pid) {
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, pid, nullptr, &registers) != 0) return;
  registers.rax = static_cast<std::uint64_t>(tell(pid, registers));
  registers.orig_rax = ~0ULL;  // The kernel does nothing more about it.
  ptrace(PTRACE_SETREGS, pid, nullptr, &registers);
}

void go_on(pid_t pid, int status) {
  const int event = status >> 16, signal = WSTOPSIG(status);
  if (event == PTRACE_EVENT_SECCOMP) answer(pid);
  if (event == PTRACE_EVENT_EXEC) hide_vdso(pid);
  // Stopped by a signal, it stays so until SIGCONT.
  const bool stays = event == PTRACE_EVENT_STOP && signal != SIGTRAP;
  ptrace(stays ? PTRACE_LISTEN : PTRACE_CONT, pid, nullptr, event == 0 ? long{signal} : 0L);
}

// Until the command has ended; its status as a shell would have it.
int follow() {
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0 && errno != EINTR) return 1;
    if (pid > 0 && WIFSTOPPED(status)) {
      go_on(pid, status);
    } else if (pid == command) {
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
  }
}

void trace(int child_waits_at) {
  if (ptrace(PTRACE_SEIZE, command, nullptr, kOptions) != 0) give_up("ptrace");
  const auto pass_on = [](int which) { kill(command, which); };
  signal(SIGTERM, pass_on);
  signal(SIGINT, pass_on);
  if (write(child_waits_at, "", 1) != 1) give_up("pipe");
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::puts("usage: moved_clock OFFSET COMMAND [ARGUMENT]…");
    return 2;
  }
  map_offset(arguments[1]);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) give_up("pipe");
  command = fork();
  if (command < 0) give_up("fork");
  if (command == 0) {
    close(ends[1]);
    become(arguments + 2, ends[0]);
  }
  trace(ends[1]);
  return follow();
}

#endif
