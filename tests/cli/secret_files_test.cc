// Protects files of secrets: whole and nobody else's, and never in the place of a device or a link.
#include <sstream>

#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/errors.h"
#include "cli/files.h"
#include "tests/support/temp_dir.h"

namespace wirelay::cli {

namespace {

const std::string kText = "PrivateKey = x\n";

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  CPPUNIT_ASSERT_EQUAL(0, lstat(path.c_str(), &info));
  return info.st_mode;
}

class SecretFilesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SecretFilesTest);
  CPPUNIT_TEST(a_file_is_replaced);
  CPPUNIT_TEST(a_pipe_is_written_to);
  CPPUNIT_TEST(a_link_stays);
  CPPUNIT_TEST(a_link_to_nothing_is_refused);
  CPPUNIT_TEST(standard_output_by_any_name);
  CPPUNIT_TEST(what_cannot_be_written);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_file_is_replaced() {
    const std::string path = dir_.write("file", "a longer text than the new one");
    chmod(path.c_str(), 0644);
    write(path);
    CPPUNIT_ASSERT_EQUAL(kText, text_of(path));
    CPPUNIT_ASSERT_EQUAL(mode_t{S_IFREG | 0600}, mode_of(path));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, files());  // nothing is left beside it
  }

  /// As /dev/null and other devices are.
  void a_pipe_is_written_to() {
    const std::string path = dir_.path("pipe");
    CPPUNIT_ASSERT_EQUAL(0, mkfifo(path.c_str(), 0600));
    const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
    write(path);
    char text[100];
    const ssize_t n = read(reader, text, sizeof text);
    close(reader);
    CPPUNIT_ASSERT_EQUAL(kText, std::string(text, n > 0 ? static_cast<size_t>(n) : 0));
    CPPUNIT_ASSERT(S_ISFIFO(mode_of(path)));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, files());
  }

  void a_link_stays() {
    const std::string target = dir_.write("elsewhere/file", "old"), link = dir_.path("link");
    std::filesystem::create_symlink("elsewhere/file", link);
    write(link);
    CPPUNIT_ASSERT(S_ISLNK(mode_of(link)));
    CPPUNIT_ASSERT_EQUAL(kText, text_of(target));
    CPPUNIT_ASSERT_EQUAL(mode_t{S_IFREG | 0600}, mode_of(target));
  }

  void a_link_to_nothing_is_refused() {
    const std::string link = dir_.path("link");
    std::filesystem::create_symlink(dir_.path("nothing"), link);
    CPPUNIT_ASSERT_THROW(write(link), Failure);
    CPPUNIT_ASSERT(S_ISLNK(mode_of(link)));
    CPPUNIT_ASSERT(!std::filesystem::exists(dir_.path("nothing")));
  }

  void standard_output_by_any_name() {
    const std::string path = dir_.write("output", "before\n");
    const int saved = dup(STDOUT_FILENO), fd = open(path.c_str(), O_WRONLY | O_APPEND);
    dup2(fd, STDOUT_FILENO);
    std::ostringstream out;
    write_secret_file("/dev/stdout", kText, out);
    write_secret_file(path, kText, out);
    write_secret_file("-", kText, out);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(fd);
    CPPUNIT_ASSERT_EQUAL(kText + kText + kText, out.str());
    CPPUNIT_ASSERT_EQUAL(std::string("before\n"), text_of(path));
  }

  void what_cannot_be_written() {
    for (const std::string& path : {dir_.path(""), dir_.path("missing/file")}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(path, write(path), Failure);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{0}, files());
  }

 private:
  static void write(const std::string& path) {
    std::ostringstream out;
    write_secret_file(path, kText, out);
    CPPUNIT_ASSERT_EQUAL(std::string(), out.str());
  }
  [[nodiscard]] size_t files() const {
    const std::filesystem::directory_iterator all(dir_.path(""));
    return static_cast<size_t>(std::distance(begin(all), end(all)));
  }
  test::TempDir dir_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SecretFilesTest);

}  // namespace
}  // namespace wirelay::cli
