// How memory is given back: little by little, so that no turn of the control thread pays for what
// others have released before.
#pragma once

namespace wirelay::ctrl {

/// From now on each release costs what it releases. glibc otherwise keeps small pieces and merges
/// all of them at once, which takes tens of milliseconds behind 100,000 users, and gives the end of
/// the heap back to the kernel as soon as it is free.
void release_evenly() noexcept;

}  // namespace wirelay::ctrl
