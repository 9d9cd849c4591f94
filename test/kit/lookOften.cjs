// Loaded into n8n. Once a minute, it looks for executions whose wait is over; here it does so all the time.
const { setInterval } = globalThis;
const EVERY_MS = 2_000;

globalThis.setInterval = (look, ms, ...more) =>
	setInterval(look, String(look).includes('getWaitingExecutions') ? EVERY_MS : ms, ...more);
