// Protects the schema and the documents from drifting away from the lists of fields: what they say
// of a user's and a peer's fields is what the lists say.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include <cppunit/extensions/HelperMacros.h>
#include <fmt/format.h>

#include "ctrl/base/json.h"
#include "ctrl/base/peer_fields.h"
#include "ctrl/base/rate.h"
#include "ctrl/base/user_fields.h"

namespace wirelay::ctrl {

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(SOURCE_ROOT "/" + path);
  CPPUNIT_ASSERT_MESSAGE(path, file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

Json::Value json(const std::string& text) { return parse_json(text, {}); }

// The schema --------------------------------------------------------------------------------------

Json::Value schema_of(const FieldKind& kind) {
  if (kind.form == ValueForm::kSwitch) return json(R"({"type": "boolean"})");
  if (kind.form == ValueForm::kWord) {
    return json(fmt::format(R"({{"enum": ["{}"]}})", fmt::join(kind.words, R"(", ")")));
  }
  if (kind.form == ValueForm::kText) {
    return json(fmt::format(R"({{"type": "string", "pattern": "{}"}})", kind.text.pattern));
  }
  const std::string number =
      fmt::format(R"({{"type": "integer", "minimum": {}, "maximum": {}}})", kind.least, kind.most);
  if (kind.form == ValueForm::kWhole) {
    return json(fmt::format(R"({{"oneOf": [{}, {{"const": "{}"}}]}})", number, kind.open));
  }
  return json(fmt::format(
      R"({{"description": "{}", "oneOf": [{}, {{"type": "string",
           "pattern": "^([0-9]+(\\.[0-9]+)?[KMGTkmgt]?|{})$"}}]}})",
      kind.unit, number, kind.open));
}

Json::Value schema_of(const PeerFieldInfo& field) {
  switch (field.form) {
    case PeerForm::kKey:
    case PeerForm::kSecret:
      return json(R"({"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$",
                      "description": "32 bytes in base64"})");
    case PeerForm::kPrefixes:
      return json(R"({"type": "array", "maxItems": 4096, "items": {"type": "string", "description":
                      "a prefix such as \"10.0.0.0/24\"; an address alone stands for one host"}})");
    case PeerForm::kEndpoint:
      return json(R"({"type": "string", "description": "address:port or [address]:port"})");
    case PeerForm::kSeconds:
      return json(R"({"type": "integer", "minimum": 0, "maximum": 65535, "default": 0})");
  }
  return {};
}

Json::Value object_schema() {
  return json(R"({"type": "object", "properties": {}, "additionalProperties": false})");
}

/// Enters the property at `path`, with the objects around it.
void add_property(Json::Value& object, const std::string& path, const Json::Value& property) {
  const size_t dot = path.find('.');
  Json::Value& place = object["properties"][path.substr(0, dot)];
  if (dot == std::string::npos) {
    place = property;
    return;
  }
  if (place.isNull()) place = object_schema();
  add_property(place, path.substr(dot + 1), property);
}

/// A schema of USER or PEER with its name, which is required.
Json::Value named_schema() {
  Json::Value schema = object_schema();
  schema["properties"]["name"] =
      json(R"({"type": "string", "pattern": "^[A-Za-z0-9._@+-]{1,64}$"})");
  schema["required"].append("name");
  return schema;
}

Json::Value expected_definitions() {
  Json::Value definitions;
  Json::Value user = named_schema(), peer = named_schema();
  for (const UserFieldInfo& field : kUserFields) {
    const std::string kind(field.kind.name);
    definitions[kind] = schema_of(field.kind);
    Json::Value property;
    property["$ref"] = "#/$defs/" + kind;
    property["default"] = value_json(field.value, field.kind);
    add_property(user, std::string(field.path), property);
  }
  user["properties"]["peers"] = json(R"({"type": "array", "items": {"$ref": "#/$defs/peer"}})");
  for (const PeerFieldInfo& field : kPeerFields) {
    peer["properties"][std::string(field.name)] = schema_of(field);
    if (!field.missing.empty()) peer["required"].append(std::string(field.name));
  }
  definitions["user"] = user;
  definitions["peer"] = peer;
  return definitions;
}

// Documents ---------------------------------------------------------------------------------------

/// The cells of the row of a table whose first cell holds `name`; empty when there is none.
std::vector<std::string> row_of(const std::string& document, const std::string& name) {
  std::istringstream lines(document);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    std::vector<std::string> cells;
    for (size_t at = 2; at < line.size();) {
      const size_t end = line.find(" |", at);
      cells.push_back(line.substr(at, end - at));
      at = end == std::string::npos ? end : end + 3;
    }
    if (cells[0].find('`' + name + '`') != std::string::npos) return cells;
  }
  return {};
}

std::string type_of(const FieldKind& kind) {
  switch (kind.form) {
    case ValueForm::kScaled:
      return fmt::format("{}, {} to {}", kind.unit, scaled_text(kind.least),
                         scaled_text(kind.most));
    case ValueForm::kWhole:
      return fmt::format("{} to {}, or `\"{}\"`", kind.least, kind.most, kind.open);
    case ValueForm::kSwitch:
      return "true, false";
    case ValueForm::kWord:
      return fmt::format("`\"{}\"`", fmt::join(kind.words, "\"`, `\""));
    case ValueForm::kText:
      return fmt::format("{} such as `\"{}\"`, or `\"{}\"`", kind.unit, kind.example, kind.open);
  }
  return {};
}

void assert_row(const std::vector<std::string>& expected, const std::string& document) {
  const std::string name = expected[0].substr(1, expected[0].size() - 2);
  auto cells = row_of(document, name);
  CPPUNIT_ASSERT_MESSAGE("no row for " + name, cells.size() >= expected.size());
  cells[0] = expected[0];  // may name others, too
  for (size_t i = 0; i < expected.size(); ++i) CPPUNIT_ASSERT_EQUAL(expected[i], cells[i]);
}

class FieldsDocumentsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FieldsDocumentsTest);
  CPPUNIT_TEST(schema);
  CPPUNIT_TEST(configuration);
  CPPUNIT_TEST(options_of_relayctl);
  CPPUNIT_TEST(objects_of_the_api);
  CPPUNIT_TEST_SUITE_END();

 public:
  void schema() {
    const Json::Value written = json(text_of("conf/relayd.schema.json"))["$defs"];
    CPPUNIT_ASSERT_EQUAL(write_json_file(expected_definitions()), write_json_file(written));
  }

  void configuration() {
    const std::string document = text_of("docs/configuration.md");
    for (const UserFieldInfo& field : kUserFields) {
      assert_row({fmt::format("`{}`", field.path), type_of(field.kind),
                  fmt::format("`{}`", write_json(value_json(field.value, field.kind)))},
                 document);
    }
    const std::string of_peers = document.substr(document.find("| field of a peer |"));
    for (const PeerFieldInfo& field : kPeerFields) {
      const auto cells = row_of(of_peers, std::string(field.name));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(std::string(field.name), size_t{4}, cells.size());
      CPPUNIT_ASSERT_EQUAL(!field.missing.empty(), cells[2] == "required");
    }
  }

  void options_of_relayctl() {
    const std::string document = text_of("docs/relayctl.md");
    const auto told = [&](std::string_view option, std::string_view argument,
                          std::string_view text) {
      const std::string space = argument.empty() ? "" : " ";
      assert_row({fmt::format("`--{}{}{}`", option, space, argument), std::string(text)}, document);
    };
    for (const BothWays& both : kBothWays) {
      const auto* of = std::ranges::find_if(kUserFields, [&](const UserFieldInfo& field) {
        return field.option == fmt::format("{}-up", both.option);
      });
      told(both.option, of->kind.argument, both.text);
    }
    for (const UserFieldInfo& field : kUserFields) {
      told(field.option, field.kind.argument, field.text);
      if (!field.off_option.empty()) told(field.off_option, "", field.off_text);
    }
    for (const PeerFieldInfo& field : kPeerFields) {
      told(field.option, field.argument, field.text);
      if (!field.off_option.empty()) told(field.off_option, "", field.off_text);
    }
  }

  void objects_of_the_api() {
    std::string document = text_of("docs/api.md");
    const size_t begin = document.find("## Users and peers");
    document = document.substr(begin, document.find("### user.add") - begin);
    const auto has = [&](std::string_view name) {
      CPPUNIT_ASSERT_MESSAGE(std::string(name),
                             document.find(fmt::format("\"{}\": ", name)) != std::string::npos);
    };
    for (const UserFieldInfo& field : kUserFields) {
      has(field.path.substr(field.path.rfind('.') + 1));
    }
    for (const PeerFieldInfo& field : kPeerFields) has(field.name);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FieldsDocumentsTest);

}  // namespace
}  // namespace wirelay::ctrl
