// RapidJSON's SAX reader behind bounds, without its recursion.
#include "ctrl/base/json_events.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <new>
#include <span>
#include <vector>

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

namespace wirelay::ctrl {

namespace {

using Kind = JsonEvent::Kind;

constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                            rapidjson::kParseNumbersAsStringsFlag;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// Where the reader keeps a text that it decodes: on the heap as other texts, which relayd wipes.
class DecodedTexts {
 public:
  // RapidJSON's names, and its concept of an allocator.
  static constexpr bool kNeedFree = true;
  void* Malloc(size_t size) { return size == 0 ? nullptr : ::operator new(size); }
  void* Realloc(void* memory, size_t size, size_t new_size) {
    void* const moved = Malloc(new_size);
    if (memory != nullptr && moved != nullptr) {
      std::memcpy(moved, memory, std::min(size, new_size));
    }
    Free(memory);
    return moved;
  }
  static void Free(void* memory) { ::operator delete(memory); }
};

/// The reader's handler: keeps the bounds, and finds what each event was read from.
class Listener {
 public:
  Listener(std::string_view text, const rapidjson::MemoryStream& stream, const JsonLimits& limits,
           const std::function<void(const JsonEvent&)>& take)
      : text_(text), stream_(stream), limits_(limits), take_(take) {}

  // RapidJSON's names. Scalars are told of when they have been read, the others at their bracket.
  bool Null() { return value(Kind::kNull, before("null")); }
  bool Bool(bool b) {
    return b ? value(Kind::kTrue, before("true")) : value(Kind::kFalse, before("false"));
  }
  bool RawNumber(const char* digits, size_t size, bool) {
    const std::string_view raw = before({digits, size});
    double unused = 0;
    if (std::from_chars(raw.begin(), raw.end(), unused).ec != std::errc()) {
      fail_json(text_, raw.data(), "a number out of range");
    }
    return value(Kind::kNumber, raw);
  }
  bool String(const char* chars, size_t size, bool) {
    const std::string_view raw = string_before();
    return value(Kind::kText, raw, checked({chars, size}, raw));
  }
  bool Key(const char* chars, size_t size, bool) {
    const std::string_view raw = string_before();
    const std::string_view key = checked({chars, size}, raw);
    keys_.push_back({std::string(key), raw.data()});
    return tell(Kind::kKey, raw, key);
  }
  bool StartArray() { return begin(Kind::kList); }
  bool EndArray(size_t) { return end(Kind::kListEnd); }
  bool StartObject() {
    begin(Kind::kObject);
    own_keys_.push_back(keys_.size());
    return true;
  }
  bool EndObject(size_t) {
    check_keys(own_keys_.back());
    own_keys_.pop_back();
    return end(Kind::kObjectEnd);
  }
  // Numbers come raw.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }

 private:
  struct FoundKey {
    std::string text;
    const char* at;
  };

  bool tell(Kind kind, std::string_view raw, std::string_view text = {}) {
    take_({kind, depth_, raw, text});
    return true;
  }

  bool value(Kind kind, std::string_view raw, std::string_view text = {}) {
    if (++values_ > limits_.values) {
      fail_json(text_, raw.data(), "more than " + std::to_string(limits_.values) + " values");
    }
    return tell(kind, raw, text);
  }

  bool begin(Kind kind) {
    if (depth_ >= limits_.depth) {
      fail_json(text_, here(), "nested deeper than " + std::to_string(limits_.depth) + " levels");
    }
    value(kind, {here(), 1});
    ++depth_;
    return true;
  }

  bool end(Kind kind) {
    --depth_;
    return tell(kind, {here(), 1});
  }

  [[nodiscard]] const char* here() const { return text_.data() + stream_.Tell(); }

  /// What has just been read and looks like `word`.
  [[nodiscard]] std::string_view before(std::string_view word) const {
    return {here() - word.size(), word.size()};
  }

  /// The string that has just been read, with its quotes. Those within it are escaped, so that an
  /// odd number of backslashes stands before each.
  [[nodiscard]] std::string_view string_before() const {
    const char* const end = here();
    const char* quote = end - 1;
    size_t backslashes = 0;
    do {
      do --quote;
      while (*quote != '"');
      backslashes = 0;
      while (quote - backslashes > text_.data() && *(quote - backslashes - 1) == '\\')
        ++backslashes;
    } while (backslashes % 2 != 0);
    return {quote, static_cast<size_t>(end - quote)};
  }

  /// RapidJSON lets the second half of a pair stand alone: three bytes from ED A0 80 on.
  std::string_view checked(std::string_view text, std::string_view raw) const {
    for (size_t i = text.find('\xed'); i != text.npos; i = text.find('\xed', i + 1)) {
      if (static_cast<unsigned char>(text[i + 1]) >= 0xa0) {  // a valid text does not end here
        fail_json(text_, raw.data(), "half of a surrogate pair");
      }
    }
    return text;
  }

  /// Takes away the keys of an object, from `own` on, and fails when two are the same.
  void check_keys(size_t own) {
    const std::span mine = std::span(keys_).subspan(own);
    std::ranges::stable_sort(mine, {}, &FoundKey::text);
    const auto twice = std::ranges::adjacent_find(mine, {}, &FoundKey::text);
    if (twice != mine.end()) {
      fail_json(text_, twice[1].at, "the key \"" + twice->text + "\" stands there twice");
    }
    keys_.resize(own);
  }

  const std::string_view text_;
  const rapidjson::MemoryStream& stream_;
  const JsonLimits& limits_;
  const std::function<void(const JsonEvent&)>& take_;
  unsigned depth_ = 0;
  size_t values_ = 0;
  std::vector<FoundKey> keys_;    // of the objects around, the innermost one's last
  std::vector<size_t> own_keys_;  // where in keys_ those of each object begin
};

/// RapidJSON's codes in plain words; `rest` begins at the mistake.
const char* words_of(rapidjson::ParseErrorCode code, std::string_view rest) {
  if (rest.starts_with('\0')) return "a NUL character";
  switch (code) {
    case rapidjson::kParseErrorDocumentRootNotSingular:
      return "something stands behind the value";
    case rapidjson::kParseErrorObjectMissName:
      return "expected a key, in double quotes";
    case rapidjson::kParseErrorObjectMissColon:
      return "expected ':'";
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket:
      return "expected ',' or '}'";
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket:
      return "expected ',' or ']'";
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
      return "expected \\u and four hexadecimal digits";
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
      return "half of a surrogate pair";
    case rapidjson::kParseErrorStringEscapeInvalid:
      return rest.starts_with('\\') ? "there is no such escape" : "a control character in a string";
    case rapidjson::kParseErrorStringMissQuotationMark:
      return "a string has no end";
    case rapidjson::kParseErrorStringInvalidEncoding:
      return "not UTF-8";
    case rapidjson::kParseErrorNumberTooBig:
      return "a number out of range";
    case rapidjson::kParseErrorNumberMissFraction:
    case rapidjson::kParseErrorNumberMissExponent:
      return "expected a digit";
    case rapidjson::kParseErrorUnspecificSyntaxError:
      return rest.empty() ? "a comment has no end" : "expected a value";
    default:
      return "expected a value";
  }
}

template <unsigned flags>
void read(std::string_view text, std::string_view all, const JsonLimits& limits,
          const std::function<void(const JsonEvent&)>& take) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  Listener listener(text, stream, limits, take);
  rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, DecodedTexts> reader;
  const auto done = reader.Parse<flags>(stream, listener);
  // A NUL character is the end of a text for RapidJSON.
  const size_t at = done.IsError() ? std::min(done.Offset(), text.size()) : stream.Tell();
  if (!done.IsError() && at == text.size()) return;
  const std::string_view rest = text.substr(at);
  fail_json(all, rest.data(), words_of(done.Code(), rest));
}

}  // namespace

void read_json_events(std::string_view text, const JsonLimits& limits,
                      const std::function<void(const JsonEvent&)>& take) {
  if (text.size() > limits.bytes) {
    throw JsonError(1, 1, "longer than " + std::to_string(limits.bytes) + " bytes");
  }
  std::string_view body = text;
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  if (limits.comments) {
    read<kFlags | rapidjson::kParseCommentsFlag>(body, text, limits, take);
  } else {
    read<kFlags>(body, text, limits, take);
  }
}

void fail_json(std::string_view text, const char* at, const std::string& message) {
  const std::string_view before = text.substr(0, static_cast<size_t>(at - text.data()));
  const auto line = 1 + static_cast<size_t>(std::ranges::count(before, '\n'));
  const size_t column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
  throw JsonError(line, column, message);
}

}  // namespace wirelay::ctrl
