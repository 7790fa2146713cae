/** What is said of the cluster's network. */
export const kubeNet = {
  title: "The network of the cluster that this machine is",
  none: "There is no cluster here yet: its network is made with the first Pod or Service.",
  picture:
    "Each Pod has an address of its own on one bridge, and no neighbours: whatever it sends goes to this host, which routes it. So Pods see each other's own addresses, also by way of a Service, and rules of the host see all of it.",
  pods: "addresses of Pods, on the bridge {bridge}",
  services: "addresses of Services: nobody's interface, led on by rules",
  balanced: "addresses of load balancers",
  resolver: "who answers names; port 53 is led to port {port} of the loopback",
  resolverOff: "who answers names, once a Pod runs",
  path: "From a Service to a Pod",
  pathText:
    "Only the first packet of a connection is looked at; for all others connection tracking remembers. Each step is one look-up in a map of table {table}, with one Service or five thousand.",
  step1: "address, protocol and port asked for → the Service's number",
  step2: "number → how many lots are drawn: as many as endpoints, or, of more than 16, a power of two",
  step3: "number and lot → a Pod's address and port: the destination is changed to it (DNAT)",
  step4: "a Service with sessionAffinity: who called before → the same Pod, for its time",
  inForce: "In force",
  noServices: "No Service has an address that leads anywhere.",
  line: "{protocol} {place} → {count} of {lots} lots, number {mark}",
  lineSticky: "{protocol} {place} → {count} of {lots} lots, number {mark}, callers stay",
  anyAddress: "port {port} of this host",
  more: "and {count} more",
  unserved: "refused at once, since nobody is behind it: {protocol} {place}",
  policies: "Who may reach whom",
  noPolicies: "No NetworkPolicy is in force: every Pod reaches every other.",
  policyText:
    "Table {table}: {receive} addresses may receive from some alone, {send} send to some alone; {known} are known, and anybody else is let nowhere. An address goes to the chain of its own combination of policies by one look-up; Pods that come and go are elements, and rules are written when a policy changes.",
  look: "To look at it yourself",
  others: "What others do in its place",
  flannel:
    "Flannel (VXLAN): each node has a range of Pod addresses; a packet for another node's is put into a UDP packet to that node, by an interface of the kernel, and taken out there. 50 bytes of each packet are the wrapping's. Services are left to kube-proxy, policies to nobody.",
  calico:
    "Calico (BGP): nothing is wrapped. Each node tells the others, and routers, by the Internet's own routing protocol which addresses it has; Pods have /32 addresses and a route by their host, as here. Policies are rules of iptables or nftables at each Pod's interface, with sets of addresses.",
  cilium:
    "Cilium (eBPF): programs at the interfaces decide in place of rules. Maps hold Services, endpoints and policies by identities, which are made of labels, not of addresses; a Service is resolved as a program calls connect(), so that its packets are never translated.",
  proxy:
    "kube-proxy: in its nftables mode a map from a Service's address to a chain of its own, which draws lots among its endpoints; each change writes chains. In its older iptables mode a packet passes the rules of all Services, one after the other.",
}
