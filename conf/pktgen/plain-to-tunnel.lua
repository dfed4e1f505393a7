-- Pktgen-DPDK: plain packets for 1,000 clients, to be sealed by the relay (docs/pktgen.md).
-- Its port 0 is cabled to the relay's plain port.
--   pktgen -l 0-2 -n 4 -a 0000:3b:00.1 -- -P -m "[1:2].0" -f conf/pktgen/plain-to-tunnel.lua
package.path = package.path .. ";?.lua;test/?.lua;app/?.lua;../?.lua"
require "Pktgen"

local relay_mac = "02:00:00:00:00:01"   -- the relay's plain port
local own_ip    = "192.0.2.1"           -- the relay's gateway there
local first     = "10.64.0.2"           -- of the clients, as `relaygen peers` counts them
local last      = "10.64.3.233"         -- the 1,000th
local inner     = 576                   -- bytes of the IP packet
local rate      = 100                   -- per cent of the line

pktgen.set_mac("0", "dst", relay_mac)
pktgen.set("0", "rate", rate)
pktgen.set("0", "count", 0)             -- until "stop 0"
pktgen.range.ip_proto("0", "udp")       -- its default is TCP, whatever set_proto() said
pktgen.process("0", "on")               -- answers the relay's ARP for own_ip
pktgen.set_ipaddr("0", "src", own_ip .. "/24")

pktgen.range.dst_mac("0", "start", relay_mac)
pktgen.range.dst_ip("0", "start", first)
pktgen.range.dst_ip("0", "inc", "0.0.0.1")
pktgen.range.dst_ip("0", "min", first)
pktgen.range.dst_ip("0", "max", last)
pktgen.range.src_ip("0", "start", own_ip)
pktgen.range.src_ip("0", "inc", "0.0.0.0")
pktgen.range.src_ip("0", "min", own_ip)
pktgen.range.src_ip("0", "max", own_ip)
pktgen.range.dst_port("0", "start", 9)  -- discard
pktgen.range.dst_port("0", "inc", 0)
pktgen.range.dst_port("0", "min", 9)
pktgen.range.dst_port("0", "max", 9)
pktgen.range.src_port("0", "start", 32768)
pktgen.range.src_port("0", "inc", 1)    -- so that receive-side scaling spreads them
pktgen.range.src_port("0", "min", 32768)
pktgen.range.src_port("0", "max", 33767)
-- Pktgen counts the Ethernet header and the check sequence.
pktgen.range.pkt_size("0", "start", inner + 18)
pktgen.range.pkt_size("0", "inc", 0)
pktgen.range.pkt_size("0", "min", inner + 18)
pktgen.range.pkt_size("0", "max", inner + 18)
pktgen.set_range("0", "on")

pktgen.start("0")
