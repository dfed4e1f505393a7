// What a relay tells of as events, and who takes them.
#include "ctrl/base/moment.h"
#include "ctrl/base/version.h"
#include "ctrl/relay.h"

namespace wirelay::ctrl {

using events::Event;
using events::Kind;

void Relay::watch_events() {
  events_.add(events::carry_to(api_loop_, config_.events_kept,
                               [this](const events::Batch& batch) { event_log_.take(batch); }));
  if (beginning_) {
    event_log_.begin_with(beginning_->take_events());
    events_.go_on_behind(event_log_.newest());
    events_.add([this](const events::Batch& batch) { events_to_keep_.push_back(batch); });
  }
  protocol_.watch(&peer_events_);
  neighbours_.watch_gateways(
      [this](const std::string& port, const dataplane::IpAddr& gateway, bool answers) {
        Event event{.kind = Kind::kGateway};
        event.fields = {{"port", port},
                        {"address", to_string(gateway)},
                        {"state", std::string_view(answers ? "found" : "lost")}};
        events_.tell(std::move(event));
      });
  publisher_.quotas().on_warning = [this](const UserSpec& user, unsigned percent, uint64_t used) {
    Event event{.kind = Kind::kQuota, .user = user.name};
    event.fields = {{"percent", uint64_t{percent}}, {"used", used}, {"bytes", user.quota().bytes}};
    events_.tell(std::move(event));
  };
  publisher_.expiries().on_change = [this](const UserSpec& user, bool expired, uint64_t at) {
    Event event{.kind = Kind::kExpiry, .user = user.name};
    event.fields = {{"state", std::string_view(expired ? "expired" : "not expired")}};
    if (at != 0) event.fields.push_back({"expires", moment_text(at)});
    events_.tell(std::move(event));
  };
  if (nat_) {
    publisher_.on_user_gone = [this](uint32_t number) { nat_->remove_user(number); };
  }
  Event started{.kind = Kind::kStarted};
  started.fields = {{"version", std::string(version())}};
  events_.tell(std::move(started));
}

void Relay::link_changed(uint16_t port, bool up) {
  if (up) neighbours_.announce(port, read_clocks());
  Event event{.kind = Kind::kLink};
  event.fields = {{"port", datapath_.shared().ports[port].name},
                  {"state", std::string_view(up ? "up" : "down")}};
  events_.tell(std::move(event));
}

void Relay::tell_of(const dataplane::NatBlockRecord& record) {
  const UserPtr user = publisher_.user(record.user);
  Event event{.kind = Kind::kNatBlock, .user = user ? user->name : ""};
  if (ipfix_) ipfix_->tell(record, event.user, read_clocks().unix_ns);
  event.fields = {{"state", std::string_view(record.given ? "given" : "taken back")},
                  {"address", to_string(dataplane::IpAddr::v4(&record.address))},
                  {"first_port", uint64_t{record.first_port}},
                  {"last_port", uint64_t{record.last_port}},
                  {"inside", to_string(dataplane::IpAddr::v4(&record.inside))}};
  events_.tell(std::move(event));
}

void Relay::tell_of(const events::Asker& asker, const ChangeOutcome& outcome) {
  auto told = events::change_events(asker, outcome);
  if (told.empty()) return;
  loop_.post([this, told = std::move(told)]() mutable {
    for (Event& event : told) events_.tell(std::move(event));
  });
}

}  // namespace wirelay::ctrl
