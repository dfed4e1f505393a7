// The arithmetic of answers.
#include "ctrl/protocol/answer.h"

#include <vector>

namespace wirelay::ctrl {

void compute_answers(std::span<const std::unique_ptr<Answer>> answers) {
  std::vector<crypto::ResponseToCreate> burst;
  std::vector<Answer*> whose;
  for (const auto& answer : answers) {
    if (answer->late) continue;
    burst.push_back({&answer->state, &answer->remote, answer->index, &answer->message, {}});
    whose.push_back(answer.get());
  }
  crypto::create_responses(burst);
  for (size_t i = 0; i < burst.size(); ++i) whose[i]->keys = burst[i].keys;
}

}  // namespace wirelay::ctrl
