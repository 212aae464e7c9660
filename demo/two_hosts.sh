#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two companies that need not trust one another host half a model each; a third one pays for answers.
#
#   demo/two_hosts.sh [FOLDER]      (make demo builds first)
#
# Host A registers layers 0 to 2 and the entry, host B layers 3 and 4. A payer buys credits and chats; host B chats
# free; the entry settles, which splits the revenue; both hosts withdraw; and the payer's receipt is shown to be
# anchored. All on this machine: the chain is anvil, the TEEs are SIMULATED. Every command is shown before it runs.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
teetee=${TEETEE:-$root/build/release/teetee}
anvil=$(echo "$root"/contracts/node_modules/@foundry-rs/anvil-*/bin/anvil)
[ -x "$teetee" ] && [ -x "$anvil" ] || { echo "demo: not built yet: make build contracts" >&2; exit 3; }

work=${1:-$(mktemp -d)}
mkdir -p "$work"
export XDG_STATE_HOME=$work/state
pids=()
cleanup() {
    # Nodes before the chain.
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill "${pids[i]}" 2> /dev/null && wait "${pids[i]}" 2> /dev/null || true; done
    [ $# -eq 0 ] || exit "$1"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# The keys of anvil's well-known mnemonic: worth nothing anywhere else.
deployer=0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80
host_a=0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d
host_b=0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a
payer=0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6

title() { printf '\n\033[1m== %s\033[0m\n' "$*" >&2; }
show() { printf '\033[2m%s$ %s\033[0m\n' "$1" "${*:2}" | sed "s#$root/##g; s#$work/##g" >&2; }
# as NAME KEY COMMAND..: a wallet's command. Only the environment holds its key.
as() {
    local name=$1 key=$2
    shift 2
    show "$name" teetee "$@"
    TEETEE_KEY=$key "$teetee" "$@"
}
address_of() { TEETEE_KEY=$1 "$teetee" account show --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["address"])'; }
member() { python3 -c "import json,sys; print(json.load(sys.stdin)['$1'])"; }
# wait_for SECONDS WHAT COMMAND..
wait_for() {
    local seconds=$1 what=$2
    shift 2
    for ((i = 0; i < seconds * 5; i++)); do "$@" > /dev/null 2>&1 && return; sleep 0.2; done
    echo "demo: $what did not happen in $seconds s; logs: $work/*.log" >&2
    exit 1
}

# Five ports in a row that nobody listens on: chain, API, attested API, links.
first_port=$(python3 - << 'PYTHON'
import contextlib
import random
import socket
while True:
    first = random.randrange(20000, 30000)
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        for port in range(first, first + 5):
            stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
        print(first)
        break
PYTHON
)
rpc_port=$first_port api_port=$((first_port + 1)) link_a=$((first_port + 3)) link_b=$((first_port + 4))
rpc=http://127.0.0.1:$rpc_port

title "A chain of its own, and the contract on it"
show '' anvil --network optimism --chain-id 84532 --block-time 1
"$anvil" --network optimism --chain-id 84532 --block-time 1 --silent --host 127.0.0.1 --port "$rpc_port" > "$work/anvil.log" 2>&1 &
pids+=($!)
wait_for 20 "anvil's start" curl -fs "$rpc" -H 'content-type: application/json' -d '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
rm -f "$work/deployment.json"
show '' contracts/tools/deploy --rpc "$rpc" --out deployment.json
DEPLOYER=$deployer "$root/contracts/tools/deploy" --rpc "$rpc" --key-env DEPLOYER --out "$work/deployment.json"
export TEETEE_RPC=$rpc TEETEE_DEPLOYMENT=$work/deployment.json

title "The model, cut in two; the policy says which code may serve it"
show '' teetee up --prepare-only --shards 2
"$teetee" up --prepare-only --shards 2 --dir "$work/network" > /dev/null
net=$work/network
pool=$(as "A" "$host_a" pool create --manifest "$net/manifest.json" --policy "$net/policy.json" --prices 2,5 --fee-bps 500 --json | member pool)
echo "pool $pool: 2 credits a prompt token, 5 a completion token, 5 % for its creator, A"

title "Each host starts its node"
node() { # name, key or "", shard, link, other link, further flags
    local name=$1 key=$2 shard=$3 link=$4 other=$5
    shift 5
    show "$name" teetee node --shard "$shard" --pool "$pool" --registration "$name.json" ..
    env ${key:+TEETEE_KEY=$key} "$teetee" node --name "$name" --shard "$net/$shard" --manifest "$net/manifest.json" --policy "$net/policy.json" \
        --dev-tee "$net/dev-tee.seed" --listen "127.0.0.1:$link" --next "tls://127.0.0.1:$other" --pool "$pool" \
        --state "$work/state-$name" --registration "$work/$name.json" --confirmations 1 "$@" > "$work/$name.log" 2>&1 &
    pids+=($!)
}
node A "$host_a" shard-000-of-002.gguf "$link_a" "$link_b" --host "$(address_of $host_a)" --api "127.0.0.1:$api_port" \
    --api-tls "127.0.0.1:$((api_port + 1))"
node B "" shard-001-of-002.gguf "$link_b" "$link_a" --host "$(address_of $host_b)"
wait_for 60 "A's registration" test -s "$work/A.json"
wait_for 60 "B's registration" test -s "$work/B.json"

title "Each host registers it: the contract checks the evidence"
as A "$host_a" register "$work/A.json"
as B "$host_b" register "$work/B.json"
wait_for 60 "the route" curl -fs "http://127.0.0.1:$api_port/health"

title "A payer buys credits, and chats"
as payer "$payer" credits buy 100000
as payer "$payer" voucher open --pool "$pool" --ceiling 20000 --session "$work/payment.json"
entry=https://127.0.0.1:$((api_port + 1))
network=(--policy "$net/policy.json" --manifest "$net/manifest.json" --entry "$entry")
as payer "" chat --payment "$work/payment.json" "${network[@]}" -n 60 -p "Once upon a time" --receipt "$work/receipt.json"

title "Host B chats free: it hosts a part of the model"
as B "$host_b" chat --as-host --pool "$pool" "${network[@]}" -n 30 -p "The little dog"

title "The entry settles: the revenue is split by layers x tokens"
as A "$host_a" settle --pool "$pool" "${network[@]}"
as A "$host_a" earnings
as B "$host_b" earnings

title "Both withdraw"
as A "$host_a" withdraw
as B "$host_b" withdraw

title "The payer's receipt is anchored"
as payer "" verify "$work/receipt.json" --policy "$net/policy.json" --manifest "$net/manifest.json" --pool "$pool" --anchor "http://127.0.0.1:$api_port"
as payer "$payer" voucher list
echo
echo "All of it is in $work."
