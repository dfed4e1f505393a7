// port.list: the ports, and what their devices were asked for and grant.
#include <array>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/api/render.h"

namespace wirelay::ctrl::api {

namespace {

Json::Value detailed_entry(const PortStatus& port) {
  Json::Value entry = port_entry(port);
  entry["role"] = port.role;
  entry["driver"] = port.driver;
  entry["hash"] = to_json(port.hash);
  entry["offloads"] = to_json(port.offloads);
  entry["rx_queues"] = port.rx_queues;
  entry["tx_queues"] = port.tx_queues;
  entry["rx_descriptors"] = port.rx_descriptors;
  entry["tx_descriptors"] = port.tx_descriptors;
  entry["numa_node"] = port.node ? Json::Value(*port.node) : Json::Value();
  return entry;
}

class Ports : public Query {
 public:
  bool collect(const RelayFace& relay, const Slice& slice) override {
    return ports_.run(relay, slice);
  }
  [[nodiscard]] Json::Value result() const override {
    Json::Value result(Json::objectValue);
    Json::Value& list = result["ports"] = Json::arrayValue;
    for (const PortStatus& port : ports_.ports()) list.append(detailed_entry(port));
    return result;
  }

 private:
  PortList ports_;
};

Begun list_ports(const Json::Value& params) {
  Params(params).finish();
  return std::make_shared<Ports>();
}

constexpr std::array kPortMethods = {
    Method{"port.list", list_ports, "{}",
           "the ports: link, MTU, role, and what their devices were asked for and grant"},
};

}  // namespace

std::span<const Method> port_methods() { return kPortMethods; }

}  // namespace wirelay::ctrl::api
