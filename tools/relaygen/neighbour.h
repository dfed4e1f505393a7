// ARP (RFC 826) and neighbour discovery (RFC 4861): the frames that a port with a few addresses
// asks, answers and learns by.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <rte_ether.h>

#include "dataplane/ip.h"

namespace wirelay::relaygen {

using Frame = std::vector<uint8_t>;

/// Asks the link who has `target`.
Frame make_question(const rte_ether_addr& mac, const dataplane::IpAddr& self,
                    const dataplane::IpAddr& target);

/// The answer to `frame` when it asks for an address that `owns`; nullopt for anything else.
std::optional<Frame> make_answer(const rte_ether_addr& mac, std::span<const uint8_t> frame,
                                 const std::function<bool(const dataplane::IpAddr&)>& owns);

/// Who an answer says has an address; nullopt when it is none.
std::optional<std::pair<dataplane::IpAddr, rte_ether_addr>> read_answer(
    std::span<const uint8_t> frame);

}  // namespace wirelay::relaygen
