// JSON from outside, event by event: bounded before anything of it is believed, no key twice in an
// object, nothing behind the value. RapidJSON underneath (RFC 8259, UTF-8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace wirelay::ctrl {

struct JsonLimits {
  size_t bytes = size_t{1} << 20;
  unsigned depth = 32;      // lists and objects within each other
  bool comments = false;    // "//" and "/* */"
  size_t values = 150'000;  // lists and objects among them; keys are none
};

/// What is wrong with a text, and where; lines and columns count from 1, columns in bytes.
class JsonError : public std::runtime_error {
 public:
  JsonError(size_t line_, size_t column_, const std::string& message)
      : std::runtime_error(message), line(line_), column(column_) {}
  size_t line, column;
};

struct JsonEvent {
  enum class Kind : uint8_t {
    kNull,
    kFalse,
    kTrue,
    kNumber,  // that a double holds
    kText,
    kKey,  // of the value that comes next
    kList,
    kListEnd,
    kObject,
    kObjectEnd,
  };
  Kind kind;
  unsigned depth;         // how many lists and objects stand around it
  std::string_view raw;   // as it is written, within the text that is read
  std::string_view text;  // what a text or a key says; for the time of the call
};

/// Calls `take` for each event in the order of the text; what it throws comes out. Throws JsonError
/// at the first mistake, so that what `take` has heard until then is not to be believed.
void read_json_events(std::string_view text, const JsonLimits& limits,
                      const std::function<void(const JsonEvent&)>& take);

/// Throws JsonError with the place of `at`, which lies within `text`.
[[noreturn]] void fail_json(std::string_view text, const char* at, const std::string& message);

}  // namespace wirelay::ctrl
