// Loops over the list of a peer's fields.
#include "cli/peer_fields.h"

#include "cli/errors.h"
#include "cli/fields.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/peer_table.h"
#include "ctrl/base/peer_fields.h"

namespace wirelay::cli {

namespace {

using ctrl::kPeerFields;
using ctrl::PeerFieldInfo;
using ctrl::PeerForm;

Json::Value given(const Call& call, const PeerFieldInfo& field) {
  const std::string option(field.option), off(field.off_option);
  if (!off.empty()) exclude(call, off.c_str(), {option.c_str()});
  if (!off.empty() && call.has(off.c_str())) {
    return field.form == PeerForm::kPrefixes ? list_of({}) : Json::Value("");
  }
  if (!call.has(option.c_str())) return {};
  switch (field.form) {
    case PeerForm::kPrefixes:
      return list_of(split_commas(call.texts(option.c_str())));
    case PeerForm::kSecret:
      return read_key(*call.text(option.c_str()), call.in);
    case PeerForm::kSeconds:
      return number_or_text(*call.text(option.c_str()));
    case PeerForm::kKey:
    case PeerForm::kEndpoint:
      return *call.text(option.c_str());
  }
  return {};
}

/// A secret is told of, not shown; an endpoint is the one at which the peer was heard.
std::string peer_field_text(const Json::Value& peer, const PeerFieldInfo& field) {
  const std::string name(field.name);
  switch (field.form) {
    case PeerForm::kKey:
      return peer[name].asString();
    case PeerForm::kSecret:
      return peer["has_" + name].asBool() ? "yes (not shown)" : "no";
    case PeerForm::kPrefixes:
      return joined(peer[name]);
    case PeerForm::kEndpoint:
      return peer["status"][name].isString() ? peer["status"][name].asString() : "unknown";
    case PeerForm::kSeconds: {
      const uint64_t seconds = peer[name].asUInt64();
      return seconds == 0 ? "off" : "every " + duration_text(seconds);
    }
  }
  return {};
}

}  // namespace

void describe_peer_fields(po::options_description_easy_init& add, PeerOptions options) {
  for (const PeerFieldInfo& field : kPeerFields) {
    if (field.fixed && options == PeerOptions::kChange) continue;
    const std::string option(field.option), argument(field.argument), text(field.text);
    if (field.form == PeerForm::kPrefixes) {
      add(option.c_str(), po::value<std::vector<std::string>>()->value_name(argument),
          text.c_str());
    } else {
      add(option.c_str(), po::value<std::string>()->value_name(argument), text.c_str());
    }
    if (options == PeerOptions::kChange && !field.off_option.empty()) {
      add(std::string(field.off_option).c_str(), std::string(field.off_text).c_str());
    }
  }
}

Json::Value peer_fields(const Call& call) {
  Json::Value peer(Json::objectValue);
  for (const PeerFieldInfo& field : kPeerFields) {
    Json::Value value = given(call, field);
    if (!value.isNull()) peer[std::string(field.name)] = std::move(value);
  }
  return peer;
}

std::vector<std::pair<std::string, std::string>> titled_peer_fields(const Json::Value& peer) {
  std::vector<std::pair<std::string, std::string>> titled;
  for (const PeerFieldInfo& field : kPeerFields) {
    titled.emplace_back(field.title, peer_field_text(peer, field));
  }
  return titled;
}

}  // namespace wirelay::cli
