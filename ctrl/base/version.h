// The version of this build, as meson.build states it.
#pragma once

namespace wirelay::ctrl {

const char* version() noexcept;

}  // namespace wirelay::ctrl
