// Runs a program that is none of Node's as the child of a Node that has loaded end-with-parent.cjs, in its process
// group: so the program ends when the process that asked for it ends.
const { spawn } = require('node:child_process');

const { command, args, uid, gid } = JSON.parse(process.argv[2]);
// The program is told to end as we are, and we end when it has.
process.on('SIGTERM', () => {});
spawn(command, args, { stdio: 'inherit', uid, gid })
	.on('error', ({ message }) => {
		console.error(message);
		process.exit(1);
	})
	.on('exit', (code) => process.exit(code ?? 1));
