// jsoncpp with settings.
#include "cli/json_text.h"

#include <memory>

#include <json/reader.h>
#include <json/writer.h>

#include "cli/errors.h"

namespace wirelay::cli {

namespace {

constexpr int kMaxDepth = 32;

std::string write(const Json::Value& value, const char* indentation) {
  Json::StreamWriterBuilder builder;
  builder["indentation"] = indentation;
  builder["precision"] = 6;
  return Json::writeString(builder, value);
}

}  // namespace

Json::Value parse(std::string_view text) {
  Json::CharReaderBuilder builder;
  builder["rejectDupKeys"] = true;
  builder["failIfExtra"] = true;
  builder["stackLimit"] = kMaxDepth;
  const std::unique_ptr<Json::CharReader> reader(builder.newCharReader());
  Json::Value value;
  std::string problems;
  try {
    if (reader->parse(text.data(), text.data() + text.size(), &value, &problems)) return value;
  } catch (const Json::Exception& error) {
    problems = error.what();
  }
  throw Failure("not JSON: " + problems);
}

std::string to_line(const Json::Value& value) { return write(value, ""); }

std::string to_text(const Json::Value& value) { return write(value, "  ") + '\n'; }

}  // namespace wirelay::cli
