// The word that was probably meant, for messages.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace wirelay::ctrl {

/// The one of `known` that `word` was probably meant to be: at most a third of its letters are
/// wrong. Words of more than 80 bytes are not looked at: that bounds the work.
std::optional<std::string_view> did_you_mean(std::string_view word,
                                             std::span<const std::string_view> known);

}  // namespace wirelay::ctrl
