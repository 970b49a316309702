ALTER TABLE `downloads` ADD `extras` text;--> statement-breakpoint
ALTER TABLE `downloads` ADD `selection` text;--> statement-breakpoint
ALTER TABLE `downloads` ADD `warnings` text;--> statement-breakpoint
ALTER TABLE `downloads` ADD `plex_path` text;--> statement-breakpoint
ALTER TABLE `downloads` ADD `downloader_id` text;--> statement-breakpoint
ALTER TABLE `downloads` ADD `bytes` integer;--> statement-breakpoint
ALTER TABLE `downloads` ADD `shared_from` text;--> statement-breakpoint
ALTER TABLE `downloads` ADD `playlist_id` text;--> statement-breakpoint
ALTER TABLE `downloads` ADD `collection` text;--> statement-breakpoint
ALTER TABLE `downloads` ADD `collected_at` text;--> statement-breakpoint
ALTER TABLE `downloads` ADD `is_protected` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `downloads` ADD `removed_at` text;--> statement-breakpoint
CREATE INDEX `downloads_to_collect` ON `downloads` (`rating_key`) WHERE collection is not null and collected_at is null;--> statement-breakpoint
CREATE INDEX `downloads_shared` ON `downloads` (`shared_from`) WHERE shared_from is not null;