// Line by line: sections, settings, and comments that may be names.
#include "cli/import/wg_conf.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "cli/errors.h"
#include "crypto/keys.h"

namespace wirelay::cli {

namespace {

constexpr uint16_t kMostSeconds = UINT16_MAX;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\v\f";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string lower(std::string_view text) {
  std::string low(text);
  for (char& c : low) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return low;
}

/// "a, b" without the blanks; empty entries are left out, as wg does at the end of a line.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (const auto part = trimmed(text.substr(0, comma)); !part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

/// What tools write in front of a name.
constexpr std::array<std::string_view, 5> kBeforeNames = {"### client ", "# begin_peer ",
                                                          "# client: ", "# name: ", "# user: "};
/// The same, with "=" behind: "# Name = alice", "# friendly_name = alice".
constexpr std::array<std::string_view, 2> kNameKeys = {"name", "friendly_name"};

/// The name in a comment (without its signs); "" where it is none, such as a setting that was
/// switched off.
std::string_view name_in(std::string_view comment) {
  const std::string whole = lower(comment);
  for (const std::string_view before : kBeforeNames) {
    if (whole.starts_with(before)) return trimmed(comment.substr(before.size()));
  }
  const size_t at = comment.find_first_not_of("#; \t");
  if (at == std::string_view::npos) return {};
  comment = trimmed(comment.substr(at));
  const std::string low = lower(comment);
  if (low.starts_with("end_peer") || low.starts_with('[')) return {};
  const size_t equals = comment.find('=');
  if (equals == std::string_view::npos) return comment;
  const std::string_view key = trimmed(std::string_view(low).substr(0, equals));
  const bool is_name = std::ranges::find(kNameKeys, key) != kNameKeys.end();
  return is_name ? trimmed(comment.substr(equals + 1)) : std::string_view();
}

class WgConf {
 public:
  ImportedServer read(std::string_view text) {
    text = without_mark(text);
    while (!text.empty()) {
      ++line_;
      const size_t end = std::min(text.find('\n'), text.size());
      take(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    end_section();
    return std::move(server_);
  }

 private:
  enum class Section : uint8_t { kNone, kInterface, kPeer };

  [[noreturn]] void fail(const std::string& what) const {
    throw Failure(fmt::format("line {}: {}", line_, what));
  }

  void take(std::string_view line) {
    const size_t sign = std::min(line.find('#'), line.size());
    const std::string_view comment = line.substr(sign);
    line = trimmed(line.substr(0, sign));
    if (!line.empty() && line.front() == '[') {
      begin_section(lower(line));
    } else if (!line.empty()) {
      set(line);
    }
    if (!comment.empty()) note(name_in(comment), line.empty());
  }

  /// A comment beside a setting is about that; the first one in a section, before its settings, is
  /// a name where there was none above it; else it may be the next section's.
  void note(std::string_view name, bool alone) {
    if (name.empty()) return;
    const bool at_head = section_ == Section::kPeer && !has_settings_;
    if (at_head) {
      if (peer_.name.empty()) peer_.name = name;
    } else if (alone) {
      above_ = name;
    }
  }

  void begin_section(const std::string& title) {
    end_section();
    has_settings_ = false;
    if (title == "[interface]") {
      section_ = Section::kInterface;
    } else if (title == "[peer]") {
      section_ = Section::kPeer;
      peer_ = {};
      peer_.name = above_;
      begun_ = line_;
    } else {
      fail("expected [Interface] or [Peer]");
    }
    above_.clear();
  }

  void end_section() {
    if (section_ != Section::kPeer) return;
    if (peer_.public_key.empty()) {
      line_ = begun_;
      fail("a [Peer] without PublicKey");
    }
    const auto [same, fresh] = lines_.emplace(peer_.public_key, begun_);
    if (!fresh) {
      line_ = begun_;
      fail(fmt::format("a [Peer] with the PublicKey of line {} once more", same->second));
    }
    server_.peers.push_back(std::move(peer_));
    section_ = Section::kNone;
  }

  void set(std::string_view line) {
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) fail("expected \"Key = value\" or a section");
    const std::string key = lower(trimmed(line.substr(0, equals)));
    const std::string_view value = trimmed(line.substr(equals + 1));
    has_settings_ = true;
    above_.clear();  // it was about these settings
    if (section_ == Section::kPeer) return set_of_peer(key, value);
    if (section_ == Section::kInterface) return set_of_interface(key, value);
    fail("a setting in front of the first section");
  }

  void set_of_interface(const std::string& key, std::string_view value) {
    static constexpr std::array<std::string_view, 8> kNotOurs = {
        "preup", "postup", "predown", "postdown", "table", "saveconfig", "fwmark", "mtu"};
    if (key == "privatekey") {
      server_.private_key = read_key(value);
    } else if (key == "listenport") {
      server_.port = static_cast<uint16_t>(read_number(value, 65535));
    } else if (key == "address") {
      for (const std::string& address : split(value)) {
        server_.addresses.push_back(address.substr(0, address.find('/')));
      }
    } else if (key == "dns") {
      for (std::string& dns : split(value)) server_.dns.push_back(std::move(dns));
    } else if (std::ranges::find(kNotOurs, key) != kNotOurs.end()) {
      server_.left_out.push_back(fmt::format("line {}: {}", line_, key));
    } else {
      fail("no key of [Interface] that wg-quick knows");
    }
  }

  void set_of_peer(const std::string& key, std::string_view value) {
    if (key == "publickey") {
      peer_.public_key = read_key(value);
    } else if (key == "presharedkey") {
      peer_.preshared_key = read_key(value);
    } else if (key == "allowedips") {
      for (std::string& prefix : split(value)) peer_.allowed_ips.push_back(std::move(prefix));
    } else if (key == "endpoint") {
      set_endpoint(value);
    } else if (key == "persistentkeepalive") {
      const bool off = lower(value) == "off";
      peer_.keepalive = off ? uint16_t{0} : static_cast<uint16_t>(read_number(value, kMostSeconds));
    } else {
      fail("no key of [Peer] that wg-quick knows");
    }
  }

  /// The relay takes addresses only: a name may be another address tomorrow.
  void set_endpoint(std::string_view value) {
    const bool v4 = value.find_first_not_of("0123456789.:") == std::string_view::npos;
    if (v4 || value.starts_with('[')) {
      peer_.endpoint = value;
    } else {
      server_.left_out.push_back(fmt::format("line {}: endpoint, which is no address", line_));
    }
  }

  /// What was found may be a secret.
  std::string read_key(std::string_view value) const {
    auto key = crypto::parse_base64_key(value);
    if (!key) fail("expected a key of 32 bytes: 44 characters of base64");
    crypto::wipe(key->data(), key->size());
    return std::string(value);
  }

  uint64_t read_number(std::string_view value, uint64_t most) const {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || number > most) {
      fail(fmt::format("expected a whole number from 0 to {}", most));
    }
    return number;
  }

  ImportedServer server_;
  Section section_ = Section::kNone;
  ImportedPeer peer_;  // of the section at hand
  size_t begun_ = 0;   // the line of its section
  bool has_settings_ = false;
  std::string above_;                    // the last comment that may name the next peer
  std::map<std::string, size_t> lines_;  // of peers, by key
  size_t line_ = 0;
};

}  // namespace

ImportedServer read_wg_conf(std::string_view text) { return WgConf().read(text); }

}  // namespace wirelay::cli
