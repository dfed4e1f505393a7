// What most of these tests include of others' headers: parsed once, not 12 times.
#include "tools/relaygen/pch/pch.hh"

#include <random>

#include <cppunit/extensions/HelperMacros.h>
