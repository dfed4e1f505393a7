// One line a peer.
#include "cli/peer_table.h"

#include <ctime>

#include "cli/format.h"

namespace wirelay::cli {

std::string joined(const Json::Value& texts) {
  std::string all;
  for (const Json::Value& text : texts) all += (all.empty() ? "" : ", ") + text.asString();
  return all;
}

void print_peers(std::ostream& out, const Json::Value& peers, PeerColumns columns) {
  const bool with_user = columns == PeerColumns::kAll;
  std::vector<std::string> titles = {"PEER"};
  if (with_user) titles.emplace_back("USER");
  for (const char* title : {"ALLOWED IPS", "ENDPOINT", "LAST HANDSHAKE", ">UP", ">DOWN"}) {
    titles.emplace_back(title);
  }
  Table table(titles);
  const auto now = static_cast<uint64_t>(std::time(nullptr));
  for (const Json::Value& peer : peers) {
    const Json::Value& status = peer["status"];
    std::vector<std::string> row = {peer["name"].asString()};
    if (with_user) row.push_back(peer["user"].asString());
    row.push_back(joined(peer["allowed_ips"]));
    row.push_back(status["endpoint"].isString() ? status["endpoint"].asString() : "-");
    row.push_back(ago_text(status["last_handshake"].asUInt64(), now));
    row.push_back(bytes_text(status["traffic"]["rx_bytes"].asUInt64()));
    row.push_back(bytes_text(status["traffic"]["tx_bytes"].asUInt64()));
    table.add(std::move(row));
  }
  table.print(out);
}

}  // namespace wirelay::cli
