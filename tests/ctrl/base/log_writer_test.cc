// Protects everybody who logs from whoever reads the log: a reader that sleeps stops no caller and
// no end of the process, and what was lost is told by count.
#include "ctrl/base/log_writer.h"

#include <string>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctrl/base/log.h"

namespace wirelay::ctrl {

namespace {

constexpr std::chrono::milliseconds kSoon(1), kAmple(20'000);
constexpr size_t kFlood = 50'000;  // lines of 100 bytes: more than the queue and a pipe hold

std::string line(size_t number) {
  std::string text = "line " + std::to_string(number) + ' ';
  text.resize(99, '.');
  return text + '\n';
}

/// Both ends of a pipe or of a socket pair.
struct Ends {
  explicit Ends(bool socket) {
    int fds[2];
    CPPUNIT_ASSERT_EQUAL(0, socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : pipe(fds));
    read_end = fds[0];
    write_end = fds[1];
  }
  ~Ends() {
    close_reader();
    close(write_end);
  }
  void close_reader() {
    if (read_end >= 0) close(read_end);
    read_end = -1;
  }
  /// Reads lines until one that starts with `last`, or the end.
  std::vector<std::string> lines_to(const std::string& last) const {
    std::vector<std::string> lines;
    std::string text;
    for (char block[4096];;) {
      const ssize_t n = read(read_end, block, sizeof block);
      if (n <= 0) return lines;
      text.append(block, static_cast<size_t>(n));
      for (size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
        lines.push_back(text.substr(0, end));
        if (lines.back().starts_with(last)) return lines;
      }
    }
  }
  int read_end, write_end;
};

class LogWriterTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LogWriterTest);
  CPPUNIT_TEST(lines_come_in_order);
  CPPUNIT_TEST(a_pipe_that_nobody_reads);
  CPPUNIT_TEST(a_socket_that_nobody_reads);
  CPPUNIT_TEST(a_pipe_that_does_not_take_the_end);
  CPPUNIT_TEST(a_reader_that_has_gone);
  CPPUNIT_TEST(a_line_longer_than_a_pipe_takes_at_once);
  CPPUNIT_TEST(the_descriptor_of_others_keeps_its_flags);
  CPPUNIT_TEST(levels_by_name);
  CPPUNIT_TEST_SUITE_END();

 public:
  void lines_come_in_order() {
    const Ends ends(false);
    LogWriter writer(ends.write_end, lost);
    for (size_t i = 0; i < 100; ++i) writer.add(line(i));
    const auto lines = ends.lines_to("line 99 ");
    CPPUNIT_ASSERT_EQUAL(size_t{100}, lines.size());
    for (size_t i = 0; i < 100; ++i) CPPUNIT_ASSERT_EQUAL(line(i), lines[i] + '\n');
  }

  void a_pipe_that_nobody_reads() { flood(Ends(false)); }
  void a_socket_that_nobody_reads() { flood(Ends(true)); }

  void a_pipe_that_does_not_take_the_end() {
    const Ends ends(false);
    LogWriter writer(ends.write_end, lost);
    for (size_t i = 0; i < kFlood; ++i) writer.add(line(i));
    writer.finish(kSoon);
    writer.finish(kSoon);
    // Whole lines only, as far as they came.
    fcntl(ends.read_end, F_SETFL, O_NONBLOCK);
    const auto lines = ends.lines_to("line 49999 ");
    CPPUNIT_ASSERT(!lines.empty());
    CPPUNIT_ASSERT(lines.size() < kFlood);
    CPPUNIT_ASSERT_EQUAL(line(lines.size() - 1), lines.back() + '\n');
  }

  void a_reader_that_has_gone() {
    Ends ends(false);
    LogWriter writer(ends.write_end, lost);
    ends.close_reader();
    for (size_t i = 0; i < kFlood; ++i) writer.add(line(i));  // and no SIGPIPE
    writer.finish(kAmple);
  }

  void a_line_longer_than_a_pipe_takes_at_once() {
    const Ends ends(false);
    LogWriter writer(ends.write_end, lost);
    writer.add(std::string(10'000, 'x') + '\n');
    writer.add("last\n");
    const auto lines = ends.lines_to("last");
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lines.size());
    CPPUNIT_ASSERT_EQUAL(size_t{10'000}, lines[0].size());
  }

  void the_descriptor_of_others_keeps_its_flags() {
    const Ends ends(false);
    const LogWriter writer(ends.write_end, lost);
    CPPUNIT_ASSERT_EQUAL(0, fcntl(ends.write_end, F_GETFL) & O_NONBLOCK);
  }

  void levels_by_name() {
    const LogLevel before = log_level();
    CPPUNIT_ASSERT(set_log_level("warning"));
    CPPUNIT_ASSERT(!set_log_level("loud"));
    CPPUNIT_ASSERT(log_level() == LogLevel::kWarning);
    set_log_level(before);
  }

 private:
  static std::string lost(uint64_t lines) { return "lost " + std::to_string(lines) + '\n'; }

  /// Every call returns while nobody reads; then all lines come, or are counted as lost: once, or
  /// more often where the writer had its turn meanwhile.
  static void flood(const Ends& ends) {
    LogWriter writer(ends.write_end, lost);
    for (size_t i = 0; i < kFlood; ++i) writer.add(line(i));
    size_t next = 0;
    for (bool any = false; next < kFlood || !any; any = true) {
      const auto lines = ends.lines_to("lost ");
      for (size_t i = 0; i + 1 < lines.size(); ++i) {
        CPPUNIT_ASSERT_EQUAL(line(next++), lines[i] + '\n');
      }
      const size_t counted = std::stoul(lines.back().substr(5));
      CPPUNIT_ASSERT(counted > 0);
      next += counted;
    }
    CPPUNIT_ASSERT_EQUAL(kFlood, next);
    writer.add("afterwards\n");
    CPPUNIT_ASSERT_EQUAL(std::string("afterwards"), ends.lines_to("afterwards").back());
    writer.finish(kAmple);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(LogWriterTest);

}  // namespace
}  // namespace wirelay::ctrl
