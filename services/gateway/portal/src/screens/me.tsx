/** 我的: language and size of letters, what waits to be sent, what is on this phone, signing out. */

import {
  Activity,
  CloudUpload,
  Download,
  Eye,
  FileUser,
  HandHelping,
  Handshake,
  HeartHandshake,
  KeyRound,
} from "lucide";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../components/buttons.tsx";
import { Asked } from "../components/dialog.tsx";
import { Choices } from "../components/form.tsx";
import { Page } from "../components/page.tsx";
import { Card, List, ListRow, Notice } from "../components/surfaces.tsx";
import { SIZES } from "../host.ts";
import { dayAndTime } from "../shell/dates.ts";
import { forgetDrafts } from "../shell/drafts.ts";
import { portal, prefer, preferences, useReading, words } from "../shell/portal.ts";
import { storedSize, wipe } from "../store/database.ts";

/** Who helps others and has no branch, whose screens lead there too. */
export const HELPS = /^(helper|officer)$/;

export function Me() {
  const me = useReading("profile", "/v1/me");
  const last = useReading("profile", "/v1/me/access-log", { query: { limit: 20 } }).data?.items.find(
    ({ actor }) => actor !== me.data?.person_id,
  );
  const { me: says, outbox, status } = words.value;
  const unsent = portal.outbox.unsent.length;
  return (
    <Page title={says.title} lead={me.data?.username ? says.signedInAs(me.data.username) : undefined}>
      <List>
        <ListRow
          icon={Eye}
          title={says.access}
          lead={last && says.last(dayAndTime(last.happened_at))}
          to="/me/access-log"
        />
        <ListRow icon={FileUser} title={says.file} lead={says.fileLead} to="/me/file" />
        <ListRow icon={HeartHandshake} title={says.helpers} lead={says.helpersLead} to="/me/helpers" />
        {me.data?.roles.some(({ role }) => HELPS.test(role)) && (
          <ListRow icon={HandHelping} title={says.assist} lead={says.assistLead} to="/me/assist" />
        )}
        <ListRow icon={Handshake} title={says.consents} lead={says.consentsLead} to="/me/consents" />
        <ListRow icon={Download} title={says.export} lead={says.exportLead} to="/me/export" />
      </List>
      <List>
        <ListRow
          icon={CloudUpload}
          title={outbox.title}
          lead={unsent > 0 ? says.unsent(unsent) : outbox.nothing}
          to="/outbox"
        />
        <ListRow icon={KeyRound} title={says.account} lead={says.accountLead} address="/sign-in" />
        <ListRow icon={Activity} title={status.title} lead={status.lead} to="/status" />
      </List>
      <Choices
        legend={says.language}
        value={preferences.value.language}
        options={[
          { value: "zh", label: "中文", lang: "zh-CN" },
          { value: "en", label: "English", lang: "en" },
        ]}
        onValue={(language) => void prefer({ language })}
      />
      <Choices
        legend={says.size}
        value={preferences.value.size}
        options={SIZES.map((value) => ({ value, label: says.sizes[value] }))}
        onValue={(size) => void prefer({ size })}
      />
      <Phone unsent={unsent} />
      <SignOut unsent={unsent} />
    </Page>
  );
}

function Phone({ unsent }: { unsent: number }) {
  const { me: says } = words.value;
  const [size, setSize] = useState({ things: 0, kilobytes: 0 });
  const [isWiped, setWiped] = useState(false);
  useEffect(() => void storedSize(portal.database).then(setSize), [isWiped]);
  const wipeAll = async (): Promise<void> => {
    await wipe(portal.database);
    portal.subjects.forget();
    forgetDrafts();
    await portal.outbox.load();
    setWiped(true);
  };
  return (
    <Card>
      <h2>{says.phone}</h2>
      <p>{says.stored(size.things, size.kilobytes)}</p>
      {unsent > 0 && <p>{says.unsent(unsent)}</p>}
      {isWiped && <Notice>{says.wiped}</Notice>}
      <div class="row">
        <Asked
          second
          title={says.wipeTitle}
          lead={unsent > 0 ? says.wipeUnsent(unsent) : says.wipeLead}
          before={unsent > 0 && <SendFirst />}
          answer={says.wipe}
          onAnswer={wipeAll}
        >
          {says.wipe}
        </Asked>
      </div>
    </Card>
  );
}

function SendFirst() {
  return (
    <Button wide onPress={() => portal.outbox.flush()}>
      {words.value.me.sendFirst}
    </Button>
  );
}

function SignOut({ unsent }: { unsent: number }) {
  const { me: says } = words.value;
  const leave = async (): Promise<void> => {
    portal.subjects.close();
    await wipe(portal.database, true);
    await portal.session.signOut();
  };
  return (
    <Asked
      second
      wide
      title={says.signOutTitle}
      lead={unsent > 0 ? says.signOutUnsent(unsent) : says.signOutLead}
      before={unsent > 0 && <SendFirst />}
      answer={says.leave}
      onAnswer={leave}
    >
      {says.signOut}
    </Asked>
  );
}
