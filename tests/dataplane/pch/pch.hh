// What most of these tests include of others' headers: parsed once, not 25 times.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
