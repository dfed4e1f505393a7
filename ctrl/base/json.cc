// jsoncpp behind bounds, and its errors taken apart.
#include "ctrl/base/json.h"

#include <cstdlib>
#include <memory>

#include <json/reader.h>
#include <json/writer.h>

namespace wirelay::ctrl {

namespace {

struct Spot {
  size_t line = 1, column = 1;
};

Spot spot_of(std::string_view text, size_t offset) {
  Spot at;
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      ++at.column;
    }
  }
  return at;
}

/// Behind the string whose opening quote stands at `at`.
size_t behind_string(std::string_view text, size_t at) {
  for (++at;; at += 2) {
    at = text.find_first_of("\"\\", at);
    if (at == std::string_view::npos) return text.size();
    if (text[at] == '"') return at + 1;
    if (at + 2 > text.size()) return text.size();
  }
}

/// Behind the comment that begins at `at`; `at` itself when none does.
size_t behind_comment(std::string_view text, size_t at) {
  const bool line = text.substr(at, 2) == "//";
  if (!line && text.substr(at, 2) != "/*") return at;
  const size_t end = line ? text.find('\n', at) : text.find("*/", at + 2);
  return end == std::string_view::npos ? text.size() : end + (line ? 0 : 2);
}

/// jsoncpp's own limit throws without a place, so depth is measured before it reads.
void check_depth(std::string_view text, const JsonLimits& limits) {
  unsigned depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        i = behind_string(text, i) - 1;
        break;
      case '/':
        if (const size_t end = behind_comment(text, i); limits.comments && end != i) i = end - 1;
        break;
      case '[':
      case '{':
        if (++depth > limits.depth) {
          const Spot at = spot_of(text, i);
          throw JsonError(at.line, at.column,
                          "nested deeper than " + std::to_string(limits.depth) + " levels");
        }
        break;
      case ']':
      case '}':
        if (depth > 0) --depth;
        break;
      default:
        break;
    }
  }
}

/// jsoncpp reports "* Line 3, Column 14\n  Missing ',' or '}'\n" and possibly more of the like; the
/// first one is the cause.
JsonError first_error(const std::string& report) {
  size_t line = 1, column = 1;
  if (const size_t at = report.find("Line "); at != std::string::npos) {
    line = std::strtoull(report.c_str() + at + 5, nullptr, 10);
  }
  if (const size_t at = report.find("Column "); at != std::string::npos) {
    column = std::strtoull(report.c_str() + at + 7, nullptr, 10);
  }
  const size_t begin = report.find("\n  ");
  if (begin == std::string::npos) return {line, column, "not JSON"};
  std::string message = report.substr(begin + 3, report.find('\n', begin + 3) - begin - 3);
  constexpr std::string_view kPrefix = "Syntax error: ";
  if (message.starts_with(kPrefix)) message.erase(0, kPrefix.size());
  while (!message.empty() && (message.back() == '.' || message.back() == ' ')) message.pop_back();
  return {line, column, message};
}

std::unique_ptr<Json::CharReader> make_reader(const JsonLimits& limits) {
  Json::CharReaderBuilder builder;
  builder["collectComments"] = false;
  builder["allowComments"] = limits.comments;
  builder["allowTrailingCommas"] = false;
  builder["strictRoot"] = false;
  builder["failIfExtra"] = true;
  builder["rejectDupKeys"] = true;
  builder["allowSpecialFloats"] = false;
  builder["skipBom"] = true;
  builder["stackLimit"] = limits.depth + 2;
  return std::unique_ptr<Json::CharReader>(builder.newCharReader());
}

std::string write(const Json::Value& value, const char* indentation) {
  Json::StreamWriterBuilder builder;
  builder["indentation"] = indentation;
  builder["commentStyle"] = "None";
  builder["precision"] = 15;  // 4393.2, not 4393.1999999999998
  return Json::writeString(builder, value);
}

}  // namespace

Json::Value parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    throw JsonError(1, 1, "longer than " + std::to_string(limits.bytes) + " bytes");
  }
  check_depth(text, limits);
  Json::Value value;
  std::string report;
  try {
    if (make_reader(limits)->parse(text.data(), text.data() + text.size(), &value, &report)) {
      return value;
    }
  } catch (const Json::Exception& e) {
    throw JsonError(1, 1, e.what());
  }
  throw first_error(report);
}

std::string write_json(const Json::Value& value) { return write(value, ""); }

std::string write_json_file(const Json::Value& value) { return write(value, "  ") + "\n"; }

Json::Value& at_path(Json::Value& root, std::string_view path) {
  const size_t dot = path.find('.');
  const std::string_view name = path.substr(0, dot);
  Json::Value& field = *root.demand(name.data(), name.data() + name.size());
  return dot == std::string_view::npos ? field : at_path(field, path.substr(dot + 1));
}

}  // namespace wirelay::ctrl
