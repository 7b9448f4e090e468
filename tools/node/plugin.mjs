// The plugin's entry as a module: the same objects as those of CommonJS.
import plugin from './plugin.cjs';

export const {
	PackageServicePlugin, PACKAGE_PUBLISH_DRIVER_FAULT_MESSAGE,
	PACKAGE_SEAM_UNREADABLE_MESSAGE,
} = plugin;
export default PackageServicePlugin;
