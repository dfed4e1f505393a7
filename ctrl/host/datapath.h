// The data path as one relay runs it: tables, packet buffers, opened ports and workers on their
// lcores. Owned by Relay; its methods are the control thread's.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "crypto/keys.h"
#include "ctrl/config/config.h"
#include "ctrl/host/interface.h"
#include "ctrl/host/link_watch.h"
#include "ctrl/relay_face.h"
#include "dataplane/dataplane.h"
#include "dataplane/worker.h"

namespace wirelay::ctrl {

/// Tables for `config`, with room for the relay's own prefixes beside those of peers.
dataplane::Sizes table_sizes(const Config& config);

/// "02:00:00:00:00:01"
std::string mac_text(const rte_ether_addr& mac);

/// What an lcore is started with.
struct WorkerStart {
  dataplane::Worker* worker;
  const std::atomic<bool>* stop;
};

class Datapath {
 public:
  /// Opens the ports, which start to receive. `ports`: DPDK port numbers in the order of
  /// config.ports. Throws Refused with what a device refused, or what memory is missing.
  Datapath(const Config& config, const std::vector<uint16_t>& ports, const std::string& engine,
           const crypto::PublicKey& public_key);
  /// Stops workers, closes ports. Whoever holds packet buffers has freed them.
  ~Datapath();
  Datapath(const Datapath&) = delete;
  Datapath& operator=(const Datapath&) = delete;

  /// Sends the workers off, each on its lcore; the tables are ready for them.
  void launch();
  /// Waits until all workers have ended; they do within two milliseconds.
  void stop();

  [[nodiscard]] dataplane::Shared& shared() const noexcept { return *shared_; }
  [[nodiscard]] std::vector<const dataplane::WorkerCounters*> counters() const;
  /// Records of NAT's flows that are in use, of all workers; 0 without NAT.
  [[nodiscard]] uint32_t nat_records() const noexcept;
  /// For LinkWatch.
  [[nodiscard]] std::vector<LinkWatch::Watched> watched() const;
  [[nodiscard]] size_t port_count() const noexcept { return open_.size(); }
  /// The smallest MTU of the ports that clients come by.
  [[nodiscard]] uint16_t tunnel_mtu() const noexcept;
  /// Of one, in the order of the configuration.
  [[nodiscard]] PortStatus port_status(size_t i) const;

 private:
  void open_ports(const Config& config, const std::vector<uint16_t>& ports);
  void start_nat(const Nat44Config& config);
  void close_ports() noexcept;

  struct OpenPort {
    uint16_t id;
    std::string device;
    std::optional<std::string> interface;  // of the kernel, where the port shares one
    dataplane::PortPlan plan;
    bool started = false;
  };
  void check_buffers(const Config& config) const;
  std::vector<std::string> open_port(dataplane::Port& port, OpenPort& open);
  std::atomic<bool> stop_{false};  // written by the control thread, read by workers
  std::vector<BorrowedInterface> borrowed_;
  std::vector<OpenPort> open_;  // in the order of the configuration
  std::unique_ptr<dataplane::Shared> shared_;
  std::vector<std::unique_ptr<dataplane::Worker>> workers_;
  std::vector<WorkerStart> starts_;  // of each
  bool running_ = false;
};

}  // namespace wirelay::ctrl
