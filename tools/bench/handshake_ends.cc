// Making both ends, and their steps.
#include "tools/bench/handshake_ends.h"

#include <stdexcept>
#include <vector>

namespace wirelay::bench {

using namespace crypto;

void must(bool holds) {
  if (!holds) throw std::logic_error("a handshake failed");
}

Ends::Ends() {
  for (Client& client : clients) {
    client.of_client = make_remote(relay, client.self.public_key, preshared).value();
    client.of_relay = make_remote(client.self, relay.public_key, preshared).value();
    client.to_relay.emplace(relay.public_key);
    client.to_client.emplace(client.self.public_key);
    client.mac1 = mac1_key(client.self.public_key);
  }
  initiate(kTogether, true);
  respond(kTogether);
}

void Ends::initiate(size_t count, bool keep) {
  std::array<HandshakeState, kTogether> states;
  std::array<MessageInitiation, kTogether> messages;
  std::vector<InitiationToCreate> burst;
  for (size_t i = 0; i < count; ++i) {
    Client& client = clients[i];
    burst.push_back({&client.self, &client.of_relay, 1, make_timestamp(kSecond),
                     keep ? &client.initiation : &messages[i],
                     keep ? &client.initiated : &states[i]});
  }
  create_initiations(burst);
  for (size_t i = 0; i < count; ++i) {
    must(burst[i].usable);
    clients[i].to_relay->write(bytes_of(*burst[i].message), kSecond);
  }
}

void Ends::respond(size_t count) {
  std::vector<InitiationToOpen> opening;
  for (size_t i = 0; i < count; ++i) {
    must(check_mac1(relay_mac1, bytes_of(clients[i].initiation)));
    opening.push_back({&relay, &clients[i].initiation, {}});
  }
  open_initiations(opening);
  std::vector<InitiationToAuthenticate> proving;
  for (size_t i = 0; i < count; ++i) {
    proving.push_back(
        {&opening[i].opened.value(), &clients[i].of_client, &clients[i].initiation, {}});
  }
  authenticate_initiations(proving);
  std::vector<ResponseToCreate> answering;
  for (size_t i = 0; i < count; ++i) {
    must(proving[i].timestamp.has_value());
    answering.push_back(
        {&opening[i].opened->state, &clients[i].of_client, 2, &clients[i].response, {}});
  }
  create_responses(answering);
  for (size_t i = 0; i < count; ++i) {
    must(answering[i].keys.has_value());
    clients[i].to_client->write(bytes_of(clients[i].response), kSecond);
  }
}

void Ends::finish(size_t count) {
  std::array<HandshakeState, kTogether> states;
  std::vector<ResponseToConsume> burst;
  for (size_t i = 0; i < count; ++i) {
    Client& client = clients[i];
    states[i] = client.initiated;
    must(check_mac1(client.mac1, bytes_of(client.response)));
    burst.push_back({&client.self, &client.of_relay, &states[i], &client.response, {}});
  }
  consume_responses(burst);
  for (const auto& each : burst) must(each.keys.has_value());
}

}  // namespace wirelay::bench
