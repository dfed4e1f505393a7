// The options of each command as the command line knows them, and the help texts.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <string>

#include "tools/relaygen/options.h"

namespace wirelay::relaygen {

boost::program_options::options_description described_options(Command command);

std::string overview();
std::string help_of(Command command);

}  // namespace wirelay::relaygen
