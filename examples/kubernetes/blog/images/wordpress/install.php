<?php
// What the form of the first visit does: tables, a title, a first user. Ends with 0 where all of it is there already.
for ($left = 60; $left > 0; $left--) {
    $connection = @mysqli_connect(getenv('WORDPRESS_DB_HOST'), getenv('WORDPRESS_DB_USER'), getenv('WORDPRESS_DB_PASSWORD'), getenv('WORDPRESS_DB_NAME'));
    if ($connection) break;
    sleep(1);
}
define('WP_INSTALLING', true);
require '/usr/share/wordpress/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
if (is_blog_installed()) exit("installed already\n");
wp_install(getenv('WORDPRESS_TITLE'), 'admin', 'admin@example.org', false, '', getenv('WORDPRESS_ADMIN_PASSWORD'));
echo "installed\n";
