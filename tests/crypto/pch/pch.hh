// What most of these tests include of others' headers: parsed once, not 15 times.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>
