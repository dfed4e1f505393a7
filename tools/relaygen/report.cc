// Tables and JSON.
#include "tools/relaygen/report.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <json/writer.h>

#include "tools/relaygen/failure.h"

namespace wirelay::relaygen {

namespace {

/// Nanoseconds, as JSON has them; microseconds in tables.
Json::Value percentiles(const Histogram& latency) {
  Json::Value value;
  value["packets"] = Json::UInt64(latency.total());
  value["p50_ns"] = Json::UInt64(latency.percentile(0.5));
  value["p90_ns"] = Json::UInt64(latency.percentile(0.9));
  value["p99_ns"] = Json::UInt64(latency.percentile(0.99));
  value["p99_9_ns"] = Json::UInt64(latency.percentile(0.999));
  value["max_ns"] = Json::UInt64(latency.greatest());
  return value;
}

Json::Value faults(const Counts& counts) {
  Json::Value value;
  value["bad_tag"] = Json::UInt64(counts.bad_tag);
  value["bad_address"] = Json::UInt64(counts.bad_address);
  value["bad_payload"] = Json::UInt64(counts.bad_payload);
  value["bad_checksum"] = Json::UInt64(counts.bad_checksum);
  return value;
}

void add_rates(Json::Value& value, const TrialResult& result) {
  const double received = result.received_rate();
  value["sent_pps"] = result.sent_rate();
  value["received_pps"] = received;
  value["received_inner_ip_bps"] = received * result.inner_bytes_mean * 8;
  value["received_tunnel_wire_bps"] = received * result.tunnel_wire_mean * 8;
  value["received_plain_wire_bps"] =
      result.plan.mode == Mode::kHub ? 0.0 : received * result.plain_wire_mean * 8;
}

}  // namespace

Json::Value to_json(const TrialResult& result) {
  Json::Value value;
  value["mode"] = to_string(result.plan.mode);
  value["size"] = result.plan.sizes.name();
  value["mean_inner_bytes"] = result.inner_bytes_mean;
  value["users"] = result.plan.users;
  value["peers"] = result.plan.peers;
  value["offered_pps"] = result.plan.rate ? Json::Value(*result.plan.rate) : Json::Value();
  value["send_seconds"] = result.send_seconds;
  value["receive_seconds"] = result.receive_seconds;
  value["rounds"] = Json::UInt64(result.rounds);
  value["sent"] = Json::UInt64(result.sent);
  value["refused_by_port"] = Json::UInt64(result.refused);
  value["received"] = Json::UInt64(result.unique());
  value["lost"] = Json::UInt64(result.lost());
  value["loss"] = result.loss();
  value["missed_by_generator"] = Json::UInt64(result.missed_by_generator);
  value["duplicates"] = Json::UInt64(result.counts.duplicates);
  value["reordered"] = Json::UInt64(result.counts.reordered);
  value["corrupt"] = Json::UInt64(result.counts.corrupt());
  value["corrupt_by_kind"] = faults(result.counts);
  value["verified"] = Json::UInt64(result.counts.verified);
  value["late"] = Json::UInt64(result.counts.late);
  value["keepalives"] = Json::UInt64(result.counts.keepalives);
  value["foreign"] = Json::UInt64(result.counts.foreign);
  value["other"] = Json::UInt64(result.counts.other);
  value["generator_busy"] = result.busy();
  value["greatest_send_lag_ns"] = Json::UInt64(static_cast<uint64_t>(result.greatest_lag * 1e9));
  add_rates(value, result);
  if (result.latency.total() > 0) value["latency"] = percentiles(result.latency);
  return value;
}

Json::Value to_json(const HandshakeResult& result, uint32_t window) {
  Json::Value value;
  value["peers"] = result.wanted;
  value["done"] = result.done;
  value["window"] = window;
  value["seconds"] = result.seconds;
  value["handshakes_per_second"] = TrialResult::per(result.done, result.seconds);
  value["initiations"] = Json::UInt64(result.initiations);
  value["repeated"] = Json::UInt64(result.repeated);
  value["cookies"] = Json::UInt64(result.cookies);
  value["refused"] = Json::UInt64(result.refused);
  value["response_time"] = percentiles(result.latency);
  return value;
}

Json::Value to_json(const StormResult& result) {
  Json::Value value;
  value["made"] = Json::UInt64(result.made);
  value["sent"] = Json::UInt64(result.sent);
  value["refused_by_port"] = Json::UInt64(result.refused);
  value["seconds"] = result.seconds;
  value["sent_per_second"] = TrialResult::per(result.sent, result.seconds);
  return value;
}

Json::Value to_json(const Counts& counts, uint32_t users, double seconds) {
  const double bits = 8 / seconds;
  Json::Value value;
  value["users"] = users;
  value["seconds"] = seconds;
  value["packets"] = Json::UInt64(counts.foreign);
  value["pps"] = TrialResult::per(counts.foreign, seconds);
  value["padded_inner_ip_bps"] = static_cast<double>(counts.foreign_inner_bytes) * bits;
  value["tunnel_wire_bps"] = static_cast<double>(counts.foreign_wire_bytes) * bits;
  value["verified"] = Json::UInt64(counts.verified);
  value["bad_tag"] = Json::UInt64(counts.bad_tag);
  return value;
}

void Table::print(std::ostream& out) const {
  if (rows_.size() < 2) return;
  std::vector<size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      out << (i == 0 ? "" : "  ") << std::string(widths[i] - row[i].size(), ' ') << row[i];
    }
    out << '\n';
  }
}

Table trial_table() {
  return Table({"mode", "users", "size", "offered pps", "sent pps", "received pps",
                "inner IP Gbit/s", "tunnel wire Gbit/s", "lost", "loss", "duplicate", "reordered",
                "corrupt"});
}

void add_trial(Table& table, const TrialResult& result) {
  const double received = result.received_rate();
  table.add({to_string(result.plan.mode), std::to_string(result.plan.users),
             result.plan.sizes.name(), result.plan.rate ? fixed(*result.plan.rate, 0) : "max",
             fixed(result.sent_rate(), 0), fixed(received, 0),
             fixed(received * result.inner_bytes_mean * 8e-9, 3),
             fixed(received * result.tunnel_wire_mean * 8e-9, 3), std::to_string(result.lost()),
             fixed(result.loss() * 100, 3) + " %", std::to_string(result.counts.duplicates),
             std::to_string(result.counts.reordered), std::to_string(result.counts.corrupt())});
}

std::vector<std::string> remarks(const TrialResult& result) {
  std::vector<std::string> lines;
  const std::string head = describe(result.plan);
  const Counts& counts = result.counts;
  if (counts.corrupt() > 0) {
    lines.push_back(head + "corrupt: " + std::to_string(counts.bad_tag) + " did not decrypt, " +
                    std::to_string(counts.bad_address) + " had wrong addresses, " +
                    std::to_string(counts.bad_payload) + " a changed payload, " +
                    std::to_string(counts.bad_checksum) + " a wrong checksum");
  }
  if (result.missed_by_generator > 0) {
    lines.push_back(head + std::to_string(result.missed_by_generator) +
                    " packets came back and found no room at the generator's own port");
  }
  if (result.refused > 0) {
    lines.push_back(head + std::to_string(result.refused) +
                    " packets were refused by the port (the far end's ring was full)");
  }
  if (counts.late > 0) {
    lines.push_back(head + std::to_string(counts.late) +
                    " packets came after their round had ended: --drain is short");
  }
  return lines;
}

std::string describe(const TrialPlan& plan) {
  return std::string(to_string(plan.mode)) + ", " + std::to_string(plan.users) + " users, size " +
         plan.sizes.name() + ": ";
}

std::string fixed(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

void check_json(const std::string& path) {
  if (path == "-") return;
  const bool stood = std::filesystem::exists(path);
  if (!std::ofstream(path, std::ios::app)) throw Failure("--json: cannot write " + path);
  if (!stood) std::filesystem::remove(path);
}

void write_json(const std::string& path, const Json::Value& value) {
  Json::StreamWriterBuilder builder;
  builder["indentation"] = "  ";
  builder["precision"] = 12;
  const std::string text = Json::writeString(builder, value) + '\n';
  if (path == "-") {
    std::cout << text;
    return;
  }
  std::ofstream out(path);
  out << text;
  out.flush();
  if (!out) throw Failure("cannot write " + path);
}

}  // namespace wirelay::relaygen
