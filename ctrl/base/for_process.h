// Objects that live as long as the process and are not taken apart at its end.
#pragma once

#include <utility>
#include <vector>

namespace wirelay::ctrl {

/// Makes what holds nothing but memory, and so much of it that freeing it record by record would
/// keep the end waiting: 100,000 users take half a second. The kernel takes it back as a whole.
template <typename T, typename... Arguments>
T& make_for_process(Arguments&&... arguments) {
  static std::vector<T*>& all = *new std::vector<T*>();  // found there by who looks for leaks
  all.push_back(new T(std::forward<Arguments>(arguments)...));
  return *all.back();
}

}  // namespace wirelay::ctrl
