// Reading the files that a relay is told of. They may hold secrets.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wirelay::ctrl {

/// The text of a file; wiped when it goes.
class FileText {
 public:
  /// Reads a regular file of at most `most` bytes; never waits for anything but a disk. Throws
  /// Refused: for pipes and devices, too, which may have no end.
  FileText(const std::string& file, size_t most);
  ~FileText();
  FileText(const FileText&) = delete;
  FileText& operator=(const FileText&) = delete;

  [[nodiscard]] std::string_view view() const noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace wirelay::ctrl
