// Reading and writing files; those that hold secrets are nobody else's to read.
#include "cli/files.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/errors.h"
#include "crypto/keys.h"

namespace wirelay::cli {

namespace {

/// With what errno says.
[[noreturn]] void fail(const std::string& path, const char* what) {
  throw Failure(std::string(what) + ' ' + path + ": " + std::generic_category().message(errno));
}

bool write_all(int fd, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) done += static_cast<size_t>(n);
  }
  return true;
}

void print(const std::string& text, std::ostream& out) {
  out << text << std::flush;
  if (!out) throw Failure("cannot write to standard output");
}

bool is_standard_output(const struct stat& file) {
  struct stat own {};
  return fstat(STDOUT_FILENO, &own) == 0 && own.st_dev == file.st_dev && own.st_ino == file.st_ino;
}

void write_into(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) fail(path, "cannot write");
  const bool written = write_all(fd, text);
  if (close(fd) != 0 || !written) fail(path, "cannot write");
}

void replace(const std::string& path, const std::string& text) {
  std::string temporary = path + ".XXXXXX";
  const int fd = mkstemp(temporary.data());  // mode 0600
  if (fd < 0) fail(path, "cannot write");
  const bool written = write_all(fd, text) && fsync(fd) == 0;
  if (close(fd) != 0 || !written || std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    errno = error;
    fail(path, "cannot write");
  }
}

std::string read_all(std::istream& in, const std::string& path) {
  std::string text;
  char block[65536];
  while (in.read(block, sizeof block) || in.gcount() > 0) {
    text.append(block, static_cast<size_t>(in.gcount()));
  }
  if (in.bad()) fail(file_name(path), "cannot read");  // a directory can be opened, but not read
  return text;
}

}  // namespace

std::string file_name(const std::string& path) { return path == "-" ? "the input" : path; }

std::string read_file(const std::string& path, std::istream& in) {
  if (path == "-") return read_all(in, path);
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path, "cannot read");
  return read_all(file, path);
}

std::string read_key(const std::string& path, std::istream& in) {
  std::string text = read_file(path, in);
  const size_t begin = text.find_first_not_of(" \t\r\n");
  const size_t end = text.find_last_not_of(" \t\r\n");
  std::string key = begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
  crypto::wipe(text.data(), text.size());
  if (!crypto::parse_base64_key(key)) {
    throw Failure(file_name(path) + " holds no key: expected 32 bytes as 44 characters of base64");
  }
  return key;
}

void write_secret_file(const std::string& path, const std::string& text, std::ostream& out) {
  if (path == "-") return print(text, out);
  struct stat info {};
  if (stat(path.c_str(), &info) == 0) {
    if (is_standard_output(info)) return print(text, out);
    if (!S_ISREG(info.st_mode)) return write_into(path, text);
    return replace(std::filesystem::canonical(path), text);
  }
  if (errno != ENOENT) fail(path, "cannot write");
  if (lstat(path.c_str(), &info) == 0)
    throw Failure("cannot write " + path + ": a link to nothing");
  replace(path, text);
}

}  // namespace wirelay::cli
