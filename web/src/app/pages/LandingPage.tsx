// SPDX-License-Identifier: Apache-2.0
import { NetworkView } from "../landing/NetworkView";
import { useNetwork } from "../network/network";
import { hrefOf } from "../router/route";
import { PageHeading } from "../router/PageHeading";
import { Icon, type IconName } from "../ui/Icon";

const facts: readonly { icon: IconName; title: string; text: string }[] = [
  {
    icon: "shield",
    title: "Sealed to attested code",
    text: "This page checks what every TEE runs before it sends a word, and encrypts your prompt to the first one.",
  },
  {
    icon: "check",
    title: "A proof for every answer",
    text: "Each answer has a receipt: which code, with which weights, computed which layers. Anyone can check it offline.",
  },
  {
    icon: "wallet",
    title: "Owned by its hosts",
    text: "One model, many owners. A contract sells credits and pays each host for the tokens that its layers computed.",
  },
];

export default function LandingPage() {
  const network = useNetwork();
  return (
    <div className="mx-auto max-w-7xl px-4">
      <section className="grid items-center gap-8 py-8 lg:min-h-[calc(100dvh-15rem)] lg:grid-cols-[1.1fr_1fr] lg:py-6">
        <div>
          <PageHeading
            title="TeeTee"
            className="max-w-xl text-4xl leading-[1.08] font-semibold tracking-tight text-balance sm:text-6xl"
          >
            Ask a language model that nobody can listen in on.
          </PageHeading>
          <p className="mt-6 max-w-xl text-lg text-soft">
            TeeTee cuts one model into shards. Different owners each run a shard inside a Trusted
            Execution Environment, hardware that keeps even its owner out. Together they answer;
            alone or together, they cannot read along.
          </p>
          <div className="mt-8 flex flex-wrap gap-3">
            <a href={hrefOf("chat")} className="btn btn-solid min-h-12 px-6">
              Start a chat
            </a>
            <a href={hrefOf("contribute")} className="btn btn-quiet min-h-12 px-6">
              Host a shard
            </a>
          </div>
          {network.trust === "simulated" ? (
            <p className="mt-6 max-w-xl rounded-xl bg-simulated-soft px-4 py-3 text-simulated">
              <strong>SIMULATED.</strong> The TEEs of this network are simulated. Every check runs,
              and nothing is protected: use it to try, not for secrets.
            </p>
          ) : null}
        </div>
        <NetworkView picture={network.picture} trust={network.trust} />
      </section>
      <section aria-label="What makes it so" className="border-t border-line py-10">
        <ul className="grid gap-8 md:grid-cols-3">
          {facts.map((fact) => (
            <li key={fact.title}>
              <Icon name={fact.icon} className="size-6 text-soft" />
              <h2 className="mt-3 font-semibold">{fact.title}</h2>
              <p className="mt-1 max-w-sm text-soft">{fact.text}</p>
            </li>
          ))}
        </ul>
        <p className="mt-10 max-w-3xl text-sm text-faint">
          What it does not do: a TEE is not proof against someone with a laboratory and the machine
          in hand, and whoever hosts a node can always switch it off. An answer then goes on at
          another node.
        </p>
      </section>
    </div>
  );
}
