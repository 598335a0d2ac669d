// Notifications of the browser: for whoever has turned to another tab, where the browser allows them.

const KINDS = ["high", "medium"];

export class Notes {
  constructor() {
    this._none = false;
    this._told = null; // ids; null until it is known what was there before
  }

  /** What is off, and why; empty where they are on. */
  get off() {
    if (!window.isSecureContext) return "Off: browsers show them over HTTPS, or on this machine, only.";
    if (!("Notification" in window) || this._none) return "Off: this browser has none.";
    if (Notification.permission === "denied") return "Off: this browser was told not to show them for this page.";
    return Notification.permission === "granted" ? "" : "Off until you allow them.";
  }

  get askable() {
    return window.isSecureContext && "Notification" in window && Notification.permission === "default";
  }

  ask() {
    return Notification.requestPermission();
  }

  /** Tell once of each alarm that is new, if nobody sees the page. */
  tell(alarms, labelOf) {
    const fresh = this._told ? alarms.filter((alarm) => !this._told.has(alarm.id)) : [];
    this._told = new Set(alarms.map((alarm) => alarm.id));
    if (!document.hidden || this.off) return;
    for (const alarm of fresh) {
      if (!KINDS.includes(alarm.priority) || alarm.signal !== "on") continue;
      const title = `${alarm.priority.toUpperCase()}: ${alarm.code}`;
      const body = `${alarm.stream === null ? "the service" : labelOf(alarm.stream)}: ${alarm.reason}`;
      this._show(title, { body, tag: `ectopy ${alarm.id}` });
    }
  }

  _show(title, more) {
    try {
      const note = new Notification(title, more);
      note.onclick = () => {
        window.focus();
        note.close();
      };
    } catch {
      this._none = true; // Chrome on Android has the name, and lets no page make one
    }
  }
}
