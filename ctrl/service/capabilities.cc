// capget(2), capset(2), prctl(2).
#include "ctrl/service/capabilities.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ctrl/base/device.h"
#include "ctrl/host/interface.h"
#include "ctrl/service/every_thread.h"

namespace wirelay::ctrl {

namespace {

constexpr CapabilitySet bit(unsigned capability) noexcept { return CapabilitySet{1} << capability; }

constexpr std::array<std::pair<unsigned, const char*>, 3> kCapabilityNames = {
    {{CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE"},
     {CAP_NET_ADMIN, "CAP_NET_ADMIN"},
     {CAP_IPC_LOCK, "CAP_IPC_LOCK"}}};

using Words = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

__user_cap_header_struct header() noexcept { return {_LINUX_CAPABILITY_VERSION_3, 0}; }

Words read_words() noexcept {
  Words words{};
  auto of_this_thread = header();
  syscall(SYS_capget, &of_this_thread, words.data());
  return words;
}

// Written before the threads are asked, and by them.
std::atomic<CapabilitySet> g_kept{0};
std::atomic<int> g_refused{0};

/// Within a signal handler.
void keep_here() noexcept {
  Words words = read_words();
  const CapabilitySet kept = g_kept;
  for (size_t i = 0; i < words.size(); ++i) {
    const auto word = static_cast<uint32_t>(kept >> (32 * i));
    words[i].permitted &= word;
    words[i].effective &= word;
    words[i].inheritable = 0;
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  // Where it may: who may not is not root, whom alone executing would give them back.
  for (unsigned i = 0; i <= CAP_LAST_CAP; ++i) {
    if ((kept & bit(i)) == 0) prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
  }
  auto of_this_thread = header();
  if (syscall(SYS_capset, &of_this_thread, words.data()) != 0) g_refused = errno;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) g_refused = errno;
}

}  // namespace

CapabilitySet capabilities_here() noexcept {
  const Words words = read_words();
  return CapabilitySet{words[1].effective} << 32 | words[0].effective;
}

CapabilitySet capabilities_kept(const Config& config, bool memory_limited, bool root) {
  CapabilitySet kept = 0;
  for (const PortConfig& port : config.ports) {
    const Device device = parse_device(port.device);
    if (interface_of(device) || device.driver == "net_tap") kept |= bit(CAP_NET_ADMIN);
  }
  if (memory_limited) kept |= bit(CAP_IPC_LOCK);
  if (root) kept |= bit(CAP_DAC_OVERRIDE);
  return kept;
}

std::string text_of_capabilities(CapabilitySet set) {
  std::string text;
  for (const auto& [number, name] : kCapabilityNames) {
    if ((set & bit(number)) == 0) continue;
    text.append(text.empty() ? "" : ", ").append(name);
  }
  return text.empty() ? "none" : text;
}

std::string keep_capabilities(CapabilitySet kept) {
  g_kept = kept;
  g_refused = 0;
  if (!on_every_thread(keep_here)) return "a thread does not listen to signals";
  return g_refused == 0 ? "" : std::string("the kernel refuses it: ") + strerror(g_refused);
}

}  // namespace wirelay::ctrl
