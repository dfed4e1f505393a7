// What most files of the control side include of others' headers: parsed once, not 60 times.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include <json/value.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <fmt/core.h>
