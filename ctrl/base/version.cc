// WIRELAY_VERSION comes from meson.build.
#include "ctrl/base/version.h"

namespace wirelay::ctrl {

const char* version() noexcept { return WIRELAY_VERSION; }

}  // namespace wirelay::ctrl
