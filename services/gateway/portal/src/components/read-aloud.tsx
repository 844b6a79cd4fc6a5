/** 念给我听: reads a text aloud where the phone has a voice for its language; elsewhere it is not there. */

import { Volume2, VolumeX } from "lucide";
import { useEffect, useState } from "preact/hooks";
import { words } from "../shell/portal.ts";
import { Button } from "./buttons.tsx";
import { Icon } from "./icon.tsx";

const speech = globalThis.speechSynthesis as SpeechSynthesis | undefined;
/** Some browsers break off what takes longer than some seconds, so it is read sentence by sentence. */
const SENTENCES = /[^。！？；.!?;\n]+[。！？；.!?;]*/g;

/** What is being read: some browsers forget what nobody holds, and never say that it came to its end. */
let held: SpeechSynthesisUtterance[] = [];

/** Voices come after the page has; those on the phone itself need no network. */
function useVoice(language: string): SpeechSynthesisVoice | undefined {
  const [voices, setVoices] = useState<readonly SpeechSynthesisVoice[]>([]);
  useEffect(() => {
    const look = () => setVoices(speech?.getVoices() ?? []);
    look();
    speech?.addEventListener?.("voiceschanged", look);
    return () => speech?.removeEventListener?.("voiceschanged", look);
  }, []);
  const fitting = voices.filter(({ lang }) => lang.toLowerCase().startsWith(language));
  return fitting.find(({ localService }) => localService) ?? fitting[0];
}

export function ReadAloud({ text }: { text: string }) {
  const { aloud } = words.value;
  const [isReading, setReading] = useState(false);
  const voice = useVoice(/\p{Script=Han}/u.test(text) ? "zh" : "en");
  useEffect(() => () => speech?.cancel(), [text]);
  if (speech === undefined || voice === undefined) return null;
  const read = (): void => {
    const spoken = (text.match(SENTENCES) ?? []).map((sentence) => {
      return Object.assign(new SpeechSynthesisUtterance(sentence), { voice, lang: voice.lang, rate: 0.9 });
    });
    const last = spoken[spoken.length - 1];
    if (last === undefined) return;
    held = spoken;
    last.onend = () => setReading(false);
    for (const each of held) {
      each.onerror = () => setReading(false);
      speech.speak(each);
    }
    setReading(true);
  };
  const stop = (): void => {
    speech.cancel();
    setReading(false);
  };
  return (
    <Button second onPress={isReading ? stop : read}>
      <Icon of={isReading ? VolumeX : Volume2} />
      {isReading ? aloud.stop : aloud.read}
    </Button>
  );
}
