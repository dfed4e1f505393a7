// Products of two 64-bit numbers. ISO C++ has no such type; every 64-bit compiler does.
#pragma once

namespace wirelay::dataplane {

__extension__ typedef unsigned __int128 Uint128;

}  // namespace wirelay::dataplane
