// What most files of relaygen include of others' headers: parsed once, not 25 times.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <json/value.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
