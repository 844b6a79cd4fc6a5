/** 我同意的: what one's data is used for and why that is lawful; what rests on consent can be given and taken back. */

import type { components } from "#document";
import { Button } from "../../components/buttons.tsx";
import { Page } from "../../components/page.tsx";
import { Card, Tag } from "../../components/surfaces.tsx";
import { ReadingState, useAttempt } from "../../components/trouble.tsx";
import { day } from "../../shell/dates.ts";
import { portal, spoken, useReading } from "../../shell/portal.ts";
import { newId } from "../../store/ids.ts";
import { says as mine } from "./words.ts";

type Consent = components["schemas"]["ConsentOut"];
type OfClient = components["schemas"]["ClientConsentOut"];

export function Consents() {
  const consents = useReading("profile", "/v1/me/consents", { query: { limit: 200 } });
  const clients = useReading("profile", "/v1/me/client-consents", { query: { limit: 200 } });
  const { consents: says } = mine.value;
  return (
    <Page title={says.title} lead={says.lead} back="/me">
      <ReadingState of={consents} />
      {consents.data?.items.map((each) => (
        <ConsentCard key={each.purpose} of={each} />
      ))}
      {clients.data !== undefined && clients.data.items.length > 0 && <h2>{says.clients}</h2>}
      {clients.data?.items.map((each) => (
        <ClientCard key={each.client_id} of={each} />
      ))}
    </Page>
  );
}

/** Asks at once, for a consent is given to the text that stands here now. */
function useAsking() {
  const { attempt, trouble } = useAttempt();
  const ask = (method: "PUT" | "DELETE", address: string, body: unknown): Promise<void> =>
    attempt(async () => {
      await portal.api.send(method, address, body, newId());
      await portal.subjects.refresh("profile");
    });
  return { ask, trouble };
}

function ConsentCard({ of }: { of: Consent }) {
  const { consents: says } = mine.value;
  const { ask, trouble } = useAsking();
  const address = `/v1/me/consents/${of.purpose}`;
  const give = () => ask("PUT", address, { text_version: of.text_version });
  return (
    <Card>
      <div class="row apart">
        <h2>{says.purposes[of.purpose] ?? of.purpose}</h2>
        <Tag tone={of.given ? "good" : "plain-tag"}>
          {of.basis !== "consent" ? (says.bases[of.basis] ?? of.basis) : of.given ? says.given : says.notGiven}
        </Tag>
      </div>
      <p>{spoken(of.text_zh, of.text_en)}</p>
      {of.given_at != null && of.given && <p class="small">{says.since(day(of.given_at))}</p>}
      {of.basis === "consent" && (
        <div class="row">
          <Button second onPress={of.given ? () => ask("DELETE", address, null) : give}>
            {of.given ? says.withdraw : says.give}
          </Button>
        </div>
      )}
      {trouble}
    </Card>
  );
}

function ClientCard({ of }: { of: OfClient }) {
  const { consents: says } = mine.value;
  const { ask, trouble } = useAsking();
  return (
    <Card>
      <h3>{spoken(of.name_zh, of.name_en)}</h3>
      <p>{says.since(day(of.granted_at))}</p>
      <div class="row">
        <Button second onPress={() => ask("DELETE", `/v1/me/client-consents/${of.client_id}`, null)}>
          {says.withdraw}
        </Button>
      </div>
      {trouble}
    </Card>
  );
}
