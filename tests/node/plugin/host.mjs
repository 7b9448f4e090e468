// host.mjs - a kernel of ObjectStack with its data engine, and the package
// service by the name of the original. It lies beside its node_modules.
//
// usage: node host.mjs FILE COMMAND [JSON]
//
// FILE is the database. The last line is JSON, behind the log: what COMMAND
// gave and which packages are installed. COMMAND is publish, get, list or
// delete, with the list of its arguments, or none.
import { ObjectKernel } from '@objectstack/core';
import { ObjectQL, ObjectQLPlugin } from '@objectstack/objectql';
import { SqlDriver } from '@objectstack/driver-sql';
import { PackageServicePlugin } from '@objectstack/service-package';
import Default from '@objectstack/service-package';

const [file, command, args = '[]'] = process.argv.slice(2);

const kernel = new ObjectKernel({ logger: { level: 'debug' },
	gracefulShutdown: false });
const engine = new ObjectQL();
const driver = new SqlDriver({ client: 'better-sqlite3',
	connection: { filename: file }, useNullAsDefault: true });

await driver.connect();
engine.registerDriver(driver, true);
await kernel.use(new ObjectQLPlugin(engine));
await kernel.use(new PackageServicePlugin());
await kernel.bootstrap();

const service = kernel.getService('package');
let result;
try {
	result = command === 'none' ? null :
		await service[command](...JSON.parse(args));
} catch ({ message, status, code }) {
	result = { thrown: { message, status, code } };
}
const installed = kernel.getService('objectql').registry.getAllPackages()
	.map(({ manifest, status }) => ({ id: manifest.id,
		version: manifest.version, status }));

await kernel.shutdown();
process.stdout.write(`${JSON.stringify({ result, installed,
	isDefault: Default === PackageServicePlugin,
	identity: [new PackageServicePlugin().name, PackageServicePlugin.name],
})}\n`, () => process.exit(0));
