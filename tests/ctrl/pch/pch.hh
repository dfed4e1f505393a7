// What most of these tests include of others' headers: parsed once, not 30 times.
#include "ctrl/pch/pch.hh"

#include <random>

#include <cppunit/extensions/HelperMacros.h>
#include <rte_ethdev.h>
