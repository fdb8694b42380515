import { lookup, type LookupAddress, type LookupOptions } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { Agent, buildConnector } from "undici";
import { DeskhandError } from "../../core/errors.js";

/** Whether a request may connect to an IP address, given as text. */
export type AddressPolicy = (address: string) => boolean;

/**
 * Whether an address is one of the public internet: not loopback, private, link-local, carrier-grade NAT, multicast, reserved, nor a
 * tunnel (6to4, Teredo, NAT64) that could lead to one of those. IPv4 in IPv6 is judged as IPv4.
 */
export const isPublicAddress: AddressPolicy = (address) => {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  // Only this eighth of IPv6 has been given to the internet; elsewhere lie old and local ways to reach IPv4.
  return parsed.range() === "unicast" && (parsed.kind() === "ipv4" || (parsed.toByteArray()[0]! & 0xe0) === 0x20);
};

/** An undici dispatcher that connects only to addresses the policy allows, and to the very addresses it has checked, on every hop. */
export function createGuardedAgent(isAllowed: AddressPolicy): Agent {
  const connect = buildConnector({ lookup: guardedLookup(isAllowed) });
  return new Agent({
    connect: (options, callback) => {
      // A literal address is connected to without a lookup.
      const host = options.hostname.replace(/^\[|\]$/g, "");
      if (isIP(host) !== 0 && !isAllowed(host)) callback(refusal(host), null);
      else connect(options, callback);
    },
  });
}

/** As `dns.lookup`, but fails when any of a name's addresses is refused: rebinding needs only one. */
function guardedLookup(isAllowed: AddressPolicy): LookupFunction {
  return (hostname: string, options: LookupOptions, callback) => {
    lookup(hostname, { ...options, all: true }, (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => {
      if (error) callback(error, [], 0);
      else if (!addresses.every(({ address }) => isAllowed(address))) callback(refusal(hostname), [], 0);
      else if (options.all) callback(null, addresses);
      else callback(null, addresses[0]?.address ?? "", addresses[0]?.family);
    });
  };
}

function refusal(host: string): DeskhandError {
  return new DeskhandError(
    "forbidden_url",
    `${host} is, or resolves to, a private, loopback or link-local address, which this server does not fetch from. Send the picture as a data URI, or start the server with --allow-private-urls.`,
  );
}
